/** CPU time and memory of processes, as the system counts them. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Ticks in a second; Linux has 100 everywhere that matters. */
const TICKS = 100;
const isLinux = process.platform === "linux";

/** User and system CPU of a process and of its children, without that of one of them, in seconds. */
export function cpuSeconds(pid: number, without?: number): number {
  return familyOf(pid)
    .filter((each) => each !== without)
    .reduce((sum, each) => sum + ownCpuSeconds(each), 0);
}

/** Resident memory of one process in bytes. */
export function residentBytes(pid: number): number {
  if (!isLinux) return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)])) * 1_024;
  const kib = /^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kib ?? 0) * 1_024;
}

function familyOf(pid: number): number[] {
  if (!isLinux) return [pid];
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc"))
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(statOf(Number(name))[1] ?? 0));
  const family = [pid];
  for (const member of family)
    for (const [child, parent] of parents) if (parent === member) family.push(child);
  return family;
}

/** In nanoseconds where the kernel tells: a tick is 2 µs an answer of 5,000. */
function ownCpuSeconds(pid: number): number {
  if (!isLinux) return psCpuSeconds(pid);
  const stat = statOf(pid);
  const ticks = (from: number) => (Number(stat[from] ?? 0) + Number(stat[from + 1] ?? 0)) / TICKS;
  const endedChildren = ticks(13);
  return (threadCpuSeconds(pid) ?? ticks(11)) + endedChildren;
}

function threadCpuSeconds(pid: number): number | undefined {
  const threads = list(`/proc/${pid}/task`);
  let ns = 0;
  for (const thread of threads)
    ns += Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0]);
  return ns > 0 ? ns / 1e9 : undefined;
}

function psCpuSeconds(pid: number): number {
  const text = execFileSync("ps", ["-o", "cputime=", "-p", String(pid)])
    .toString()
    .trim();
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** Fields of /proc/<pid>/stat behind the command: state, parent, … */
function statOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Empty where the process or thread has ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
