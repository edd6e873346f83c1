/** What the system knows about a process. */
import { readdir, readFile } from "node:fs/promises";
import { run } from "./run.js";

export interface RunningProcess {
  pid: number;
  parent: number;
  commandLine: string;
}

/** True until the process has ended; one that only waits for its parent to notice has ended. */
export async function isRunning(pid: number): Promise<boolean> {
  return (await findProcess(pid)) !== undefined;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The process of this number; undefined if it has ended. Reads /proc, else asks `ps`. */
export async function findProcess(pid: number): Promise<RunningProcess | undefined> {
  if (!exists(pid)) return undefined;
  return process.platform === "linux" ? fromProc(pid) : fromPs(pid);
}

async function fromProc(pid: number): Promise<RunningProcess | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const words = await readFile(`/proc/${pid}/cmdline`, "utf8");
    if (/^State:\s*[ZX]/m.test(status) && !(await hasThreads(pid))) return undefined;
    const parent = Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
    return { pid, parent, commandLine: words.replaceAll("\0", " ").trim() };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

/** A process whose first thread has ended holds its files and ports until the last one has. */
async function hasThreads(pid: number): Promise<boolean> {
  return (await readdir(`/proc/${pid}/task`)).length > 1;
}

async function fromPs(pid: number): Promise<RunningProcess | undefined> {
  const args = ["-ww", "-o", "stat=,ppid=,command=", "-p", String(pid)];
  const line = await run("ps", args, { timeoutMs: 5_000 }).catch(() => "");
  const match = /^\s*(\S+)\s+(\d+)\s+(.*)$/m.exec(line);
  if (!match || match[1]?.startsWith("Z")) return undefined;
  return { pid, parent: Number(match[2]), commandLine: match[3] ?? "" };
}
