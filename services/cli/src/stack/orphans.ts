/** Processes that an earlier stack of the same folder left behind, as after kill -9 of its owner. */
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ROOT_FOLDER } from "@fanfare/common/servers/postgres-account";
import { findProcess, isRunning } from "@fanfare/common/servers/process-table";
import { holdsWithin } from "@fanfare/common/servers/wait";
import { type PidFile, readPidFiles, serverFolders, servicesFolder } from "./pid-files.js";

const SERVICES = fileURLToPath(new URL("../../..", import.meta.url));
const STOP_LIMIT_MS = 5_000;
const KILL_LIMIT_MS = 5_000;

/**
 * Ends what the pid files of a stack's folder name: our processes, and with `servers` NATS, Redis and
 * PostgreSQL too (a start of those ends its own orphans). Says how many there were. Only for folders
 * whose owner is gone.
 */
export async function endOrphans(directory: string, { servers = false } = {}): Promise<number> {
  const folders = servers ? await serverFolders(directory) : [];
  const ended: boolean[] = [];
  for (const folder of [servicesFolder(directory), ...folders]) {
    const files = await readPidFiles(folder);
    ended.push(...(await Promise.all(files.map((file) => endOrphan(file, directory)))));
  }
  return ended.filter(Boolean).length;
}

async function endOrphan({ path, pid }: PidFile, directory: string): Promise<boolean> {
  const found = pid === undefined ? undefined : await findProcess(pid);
  const isOurs = found !== undefined && hasOurMark(found.commandLine, directory);
  if (isOurs && !(await end(found.pid)))
    throw new Error(`process ${pid} of an earlier run does not end`);
  await rm(path, { force: true });
  return isOurs;
}

/** A stranger who got the number of one of ours has none of these on its command line. */
function hasOurMark(commandLine: string, directory: string): boolean {
  return [SERVICES, directory, ROOT_FOLDER].some((mark) => commandLine.includes(mark));
}

async function end(pid: number): Promise<boolean> {
  for (const [signal, limitMs] of [
    ["SIGTERM", STOP_LIMIT_MS],
    ["SIGKILL", KILL_LIMIT_MS],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return true;
    }
    if (await holdsWithin(limitMs, async () => !(await isRunning(pid)))) return true;
  }
  return false;
}
