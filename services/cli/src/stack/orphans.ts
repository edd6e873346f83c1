/** Processes that an earlier stack of the same folder left behind, as after kill -9 of its owner. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT_FOLDER } from "@fanfare/common/servers/postgres-account";
import { findProcess, isRunning } from "@fanfare/common/servers/process-table";
import { holdsWithin } from "@fanfare/common/servers/wait";

const SERVICES = fileURLToPath(new URL("../../..", import.meta.url));
const STOP_LIMIT_MS = 5_000;
const KILL_LIMIT_MS = 5_000;

/**
 * Ends what the pid files of a stack's folder name: our processes, and with `servers` NATS, Redis and
 * PostgreSQL too (a start of those ends its own orphans). Says how many there were. Only for folders
 * whose owner is gone.
 */
export async function endOrphans(directory: string, { servers = false } = {}): Promise<number> {
  const data = join(directory, "data");
  const folders = servers
    ? (await readdir(data).catch(() => [])).map((name) => join(data, name))
    : [];
  const ended: boolean[] = [];
  for (const folder of [join(directory, "run"), ...folders]) {
    const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".pid"));
    // PostgreSQL's own lock file has its own rules.
    const ours = files.filter((name) => name !== "postmaster.pid");
    ended.push(
      ...(await Promise.all(ours.map((name) => endOrphan(join(folder, name), directory)))),
    );
  }
  return ended.filter(Boolean).length;
}

async function endOrphan(pidFile: string, directory: string): Promise<boolean> {
  const pid = Number((await readFile(pidFile, "utf8")).split(" ")[0]);
  const found = pid > 0 ? await findProcess(pid) : undefined;
  const isOurs = found !== undefined && hasOurMark(found.commandLine, directory);
  if (isOurs && !(await end(pid))) throw new Error(`process ${pid} of an earlier run does not end`);
  await rm(pidFile, { force: true });
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
