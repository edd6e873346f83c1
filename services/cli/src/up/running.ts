/** The note that a running `make up` leaves: who it is, and where its doors are. */
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { findProcess } from "@fanfare/common/servers/process-table";
import type { Home } from "../home.js";

export interface Running {
  pid: number;
  /** Base of the pages, the sockets and the JSON door. */
  gatewayUrl: string;
  /** `host:port` of the quiz service. */
  quizAddress: string;
  natsUrl: string;
  redisUrl: string;
}

/** Somebody runs `make up` here already. */
export class AlreadyRunningError extends Error {
  override name = "AlreadyRunningError";
  constructor(running: Running) {
    super(
      `Fanfare already runs here (process ${running.pid}): ${running.gatewayUrl}/  ` +
        `Stop it with: make down`,
    );
  }
}

/** Takes the note for this process; throws AlreadyRunningError where its owner lives. */
export async function claim(home: Home, note: Running): Promise<void> {
  mkdirSync(home.folder, { recursive: true });
  try {
    openSync(home.lock, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const running = await findRunning(home);
    if (running) throw new AlreadyRunningError(running);
  }
  writeFileSync(home.lock, `${JSON.stringify(note)}\n`);
}

export function release(home: Home): void {
  rmSync(home.lock, { force: true });
}

/** Who runs here now; undefined where nobody does, or only a stranger with an old number. */
export async function findRunning(home: Home): Promise<Running | undefined> {
  let note: Running;
  try {
    note = JSON.parse(readFileSync(home.lock, "utf8")) as Running;
  } catch {
    return undefined;
  }
  const owner = await findProcess(note.pid);
  return owner?.commandLine.includes("fanfare") ? note : undefined;
}
