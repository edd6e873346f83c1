/** CPU time and memory of processes, as the system counts them. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Ticks in a second; Linux has 100 everywhere that matters. */
const TICKS = 100;

/** User and system CPU of a process and of its children, in seconds. */
export function cpuSeconds(pid: number): number {
  return familyOf(pid).reduce((sum, each) => sum + ownCpuSeconds(each), 0);
}

/** Resident memory of one process in bytes. */
export function residentBytes(pid: number): number {
  if (process.platform !== "linux")
    return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)])) * 1_024;
  const [, resident = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return Number(resident) * 4_096;
}

function familyOf(pid: number): number[] {
  if (process.platform !== "linux") return [pid];
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc"))
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(statOf(Number(name))[1] ?? 0));
  const family = [pid];
  for (const member of family)
    for (const [child, parent] of parents) if (parent === member) family.push(child);
  return family;
}

function ownCpuSeconds(pid: number): number {
  if (process.platform !== "linux") {
    const text = execFileSync("ps", ["-o", "cputime=", "-p", String(pid)])
      .toString()
      .trim();
    return text.split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0);
  }
  const stat = statOf(pid);
  return (Number(stat[11] ?? 0) + Number(stat[12] ?? 0)) / TICKS;
}

/** Fields of /proc/<pid>/stat behind the command: state, parent, … */
function statOf(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}
