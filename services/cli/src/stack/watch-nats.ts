/**
 * After a write that failed, as on a full disk, nats-server stores nothing until it is started again,
 * and says so at /healthz. This has it started again once there is room.
 */
import { statfs } from "node:fs/promises";
import { pause } from "@fanfare/common/lifecycle";
import type { NatsServer } from "@fanfare/common/servers/nats";

const LOOK_EVERY_MS = 1_000;
const ANSWER_LIMIT_MS = 2_000;
/** Looks in a row at which it was unwell: not while it reads its streams at a start. */
const UNWELL_LOOKS = 3;
/** With less free space it would stop again at once. */
const ROOM_MIN_BYTES = 1024 * 1024;

/** Looks until the signal; `onUnwell` has the server started again. Never rejects. */
export async function watchNats(
  nats: NatsServer,
  { onUnwell, tell }: { onUnwell: (why: string) => void; tell: (line: string) => void },
  signal: AbortSignal,
): Promise<void> {
  const { monitorUrl, directory } = nats;
  if (!monitorUrl || !directory) return;
  let unwell = 0;
  let isTold = false;
  while (!signal.aborted) {
    await pause(LOOK_EVERY_MS, signal);
    const why = await faultAt(`${monitorUrl}/healthz`);
    unwell = why === undefined ? 0 : unwell + 1;
    if (why === undefined) isTold = false;
    if (why === undefined || unwell < UNWELL_LOOKS || signal.aborted) continue;
    if (await hasRoom(directory)) {
      unwell = 0;
      onUnwell(why);
    } else if (!isTold) {
      isTold = true;
      tell(`NATS stores nothing, it starts again once there is room in ${directory}: ${why}`);
    }
  }
}

/** What the server says is wrong with it; nothing where it says nothing, which an exit tells. */
async function faultAt(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    if (response.ok) return undefined;
    const { error = `HTTP ${response.status}` } = (await response.json()) as { error?: string };
    return error;
  } catch {
    return undefined;
  }
}

async function hasRoom(directory: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(directory).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize >= ROOM_MIN_BYTES;
}
