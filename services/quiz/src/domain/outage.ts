/** The time in which a round could take no answers is given back to it, once, whoever saw it. */
import { clone } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Phase, type Session, SessionSchema } from "@fanfare/proto/quiz/v1/session";

/** A time in which the log took nothing, in ms since 1970 on the common clock. */
export interface Outage {
  fromMs: number;
  toMs: number;
}

/** Of shorter ones players hardly know: their clients send again. */
export const OUTAGE_MIN_MS = 1_000;
/** Given back to one round in all: whoever needs more pauses, or plays another day. */
export const GIVEN_BACK_MAX_MS = 60_000;

/** The record with a later end of its round, or "unchanged" where nothing is due, or was done. */
export function giveBack(session: Session, outage: Outage): Session | "unchanged" {
  const [fromMs, toMs] = [Math.round(outage.fromMs), Math.round(outage.toMs)];
  const { phaseStartedAt, phaseEndsAt } = session;
  const isOpen = session.phase === Phase.OPEN && !session.paused;
  if (!isOpen || !session.options?.giveBackOutages || !phaseStartedAt || !phaseEndsAt)
    return "unchanged";
  // What came after the end (a clock of ours was late) is no time that anybody lost.
  if (fromMs >= timestampMs(phaseEndsAt)) return "unchanged";
  const known = { fromMs: Number(session.outageFromMs), toMs: Number(session.outageToMs) };
  const from = Math.max(fromMs, timestampMs(phaseStartedAt));
  // Pods notice the same outage at different moments.
  const isSame = known.toMs > 0 && from <= known.toMs && toMs >= known.fromMs;
  const lostMs = isSame
    ? Math.max(0, known.fromMs - from) + Math.max(0, toMs - known.toMs)
    : toMs - from;
  const backMs = Math.min(lostMs, GIVEN_BACK_MAX_MS - session.givenBackMs);
  if (lostMs < OUTAGE_MIN_MS || backMs <= 0) return "unchanged";
  const longer = clone(SessionSchema, session);
  longer.phaseEndsAt = timestampFromMs(timestampMs(phaseEndsAt) + backMs);
  longer.timeLimitMs += backMs;
  longer.givenBackMs += backMs;
  longer.outageFromMs = BigInt(isSame ? Math.min(from, known.fromMs) : from);
  longer.outageToMs = BigInt(isSame ? Math.max(toMs, known.toMs) : toMs);
  return longer;
}
