/**
 * The pid file of a server: who runs in a directory, and who started it. A server whose parent is
 * gone is ended before a new one starts there; one whose parent lives is left alone.
 */
import { writeFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { DirectoryInUseError, type ServerName } from "./errors.js";
import { findProcess, isRunning, type RunningProcess } from "./process-table.js";
import { holdsWithin } from "./wait.js";

const END_LIMIT_MS = 10_000;

export interface Tenancy {
  server: ServerName;
  pidFile: string;
  /** A path that stands on the command line of every server of this directory. */
  marker: string;
  stopSignal: NodeJS.Signals;
}

/** Notes who runs; at once, so that no server lives without its note. */
export function writePidFile(path: string, pid: number): void {
  writeFileSync(path, `${pid} ${process.pid}\n`);
}

/** Ends an orphan of this directory. Fails with DirectoryInUseError if the server has an owner. */
export async function endStaleServer(tenancy: Tenancy): Promise<void> {
  const note = await readFile(tenancy.pidFile, "utf8").catch(() => "");
  const [pid = 0, parent = 0] = note.trim().split(" ").map(Number);
  if (pid > 0) {
    const found = await findProcess(pid);
    if (found?.commandLine.includes(tenancy.marker)) await endOrphan(tenancy, found, parent);
  }
  await rm(tenancy.pidFile, { force: true });
}

async function endOrphan(tenancy: Tenancy, found: RunningProcess, parent: number): Promise<void> {
  const { server, marker, stopSignal } = tenancy;
  // The parent of an orphan is another process: init, or whoever adopts.
  if (found.parent === parent) throw new DirectoryInUseError(server, marker, found.pid);
  for (const signal of [stopSignal, "SIGKILL"] as const) {
    try {
      process.kill(found.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
        throw new DirectoryInUseError(server, marker, found.pid);
      }
    }
    if (await holdsWithin(END_LIMIT_MS, async () => !(await isRunning(found.pid)))) return;
  }
  throw new DirectoryInUseError(server, marker, found.pid);
}
