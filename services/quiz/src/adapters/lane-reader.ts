/**
 * Reads one subject of the log from a place on, as the stream's leader has it. Throws UNAVAILABLE while
 * the log can't be reached.
 */

import type { Bus } from "@fanfare/common/bus";
import { reaching, unavailable } from "@fanfare/common/errors";
import { pause } from "@fanfare/common/lifecycle";
import { STREAMS, storedSubject } from "@fanfare/proto/addresses";

export interface StoredMessage {
  sequence: number;
  data: Uint8Array;
}

const READ_BATCH = 500;
/** A follower that answers a direct read may be this far behind the leader. */
const CATCH_UP_TRIES = 40;
const CATCH_UP_PAUSE_MS = 25;

/** Sequence of the last entry of a published subject; 0 for none. Asked of the leader. */
export function lastSequence(bus: Bus, subject: string): Promise<number> {
  return lastStored(bus, storedSubject(subject));
}

/** The same of stored subjects, with wildcards. */
export async function lastStored(bus: Bus, filter: string): Promise<number> {
  const asked = bus.jsm.streams.getMessage(STREAMS.log, { last_by_subj: filter });
  return (await reaching("the log", asked))?.seq ?? 0;
}

/** Entries of a published subject with `from` <= sequence <= `to`, in order. `to` must be one of them. */
export async function readEntries(
  bus: Bus,
  subject: string,
  from: number,
  to: number,
): Promise<StoredMessage[]> {
  const found: StoredMessage[] = [];
  let next = from;
  for (let tries = 0; next <= to; tries++) {
    if (tries > CATCH_UP_TRIES)
      throw unavailable("the log", new Error(`${subject}: entry ${to} can't be read`));
    const batch = await reaching("the log", readBatch(bus, subject, next));
    const wanted = batch.filter(({ sequence }) => sequence <= to);
    found.push(...wanted);
    next = (wanted.at(-1)?.sequence ?? next - 1) + 1;
    if (wanted.length > 0) tries = 0;
    else await pause(CATCH_UP_PAUSE_MS);
  }
  return found;
}

async function readBatch(bus: Bus, subject: string, from: number): Promise<StoredMessage[]> {
  const messages: StoredMessage[] = [];
  const asked = { seq: from, next_by_subj: storedSubject(subject), batch: READ_BATCH };
  for await (const { seq, data } of await bus.jsm.direct.getBatch(STREAMS.log, asked))
    messages.push({ sequence: seq, data });
  return messages;
}
