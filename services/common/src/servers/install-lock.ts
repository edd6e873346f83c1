/**
 * One installer at a time: test files run in several processes, and each would else build the
 * same server.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isRunning } from "./process-table.js";
import { holdsWithin } from "./wait.js";

const LOCK_WAIT_MS = 20 * 60_000;

/**
 * Runs `install` while holding `<folder>/<name>.lock`. A holder that died does not block;
 * `onWait` is told once if a living one does.
 */
export async function withInstallLock<T>(
  folder: string,
  name: string,
  install: () => Promise<T>,
  onWait: () => void = () => {},
): Promise<T> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.lock`);
  let told = false;
  const held = await holdsWithin(LOCK_WAIT_MS, async () => {
    if (await takeLock(path)) return true;
    if (!told) onWait();
    told = true;
    return false;
  });
  if (!held) throw new Error(`another process holds ${path}: remove that file if none installs`);
  try {
    return await install();
  } finally {
    await rm(path, { force: true });
  }
}

async function takeLock(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const holder = Number(await readFile(path, "utf8").catch(() => ""));
  // 0: its writer is between creating and filling it. Our own pid: a namesake from before a reboot,
  // or this process in another call, which then ends by itself.
  if (holder > 0 && holder !== process.pid && !(await isRunning(holder)))
    await rm(path, { force: true });
  return false;
}
