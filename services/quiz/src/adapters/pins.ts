/** Keys of the bucket of PINs: each names the session that has it. */
import { isWrongLastSequence, PURGE_MARKER_TTL } from "@fanfare/common/bus";
import type { KV } from "@nats-io/kv";

/** Forgets a PIN, where it is still this session's: once free, another may have drawn it. */
export async function forgetPin(pins: KV, pin: string, sessionId: string): Promise<void> {
  const entry = await pins.get(pin);
  if (entry?.operation !== "PUT" || entry.string() !== sessionId) return;
  try {
    await pins.purge(pin, { previousSeq: entry.revision, ttl: PURGE_MARKER_TTL });
  } catch (error) {
    if (!isWrongLastSequence(error)) throw error;
  }
}
