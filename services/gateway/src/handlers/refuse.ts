/** Refusals: every one says its reason, what to do, whether to try again, and is counted. */
import { REASONS, ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { CLOSE } from "../close-codes.js";
import type { LimitName } from "../config.js";
import type { Client } from "../domain/client.js";
import type { Gateway } from "./gateway.js";

export interface Refusal {
  reason: ErrorReason;
  message?: string;
  retryAfterMs?: number | undefined;
  /** Submission or request id of the refused frame. */
  requestId?: string;
}

/** What to do, where a bare reason came from the quiz service. */
const ADVICE: Partial<Record<ErrorReason, string>> = {
  [ErrorReason.SESSION_NOT_FOUND]: "no session has this PIN or id; check it",
  [ErrorReason.SESSION_ENDED]: "the session has ended",
  [ErrorReason.SESSION_FULL]: "the session is full",
  [ErrorReason.SESSION_LOCKED]: "the host has locked the session to new players",
  [ErrorReason.NAME_TAKEN]: "another player has this name; choose another one",
  [ErrorReason.NAME_INVALID]: "a name has 1 to 24 characters that can be shown; choose another one",
  [ErrorReason.BANNED]: "the host has banned you from this session",
  [ErrorReason.KICKED]: "the host has removed you; you may join under another name",
  [ErrorReason.PLAYER_NOT_FOUND]: "this session does not know you; join it",
  [ErrorReason.ROUND_CLOSED]: "the round is over",
  [ErrorReason.ROUND_NOT_OPEN]: "the round does not take answers now; wait until it opens",
  [ErrorReason.ALREADY_ANSWERED]: "you have answered this round; the first answer stands",
  [ErrorReason.CHOICE_INVALID]: "choose what the question offers, as many as it asks for",
  [ErrorReason.SLOW_DOWN]: "too many ask for rounds that are over; send the same frame again",
  [ErrorReason.UNAVAILABLE]: "no word from the log yet; send the same frame again",
};

export function advice(reason: ErrorReason): string {
  return ADVICE[reason] ?? "refused";
}

/** Sends a refusal. */
export function refuse(gateway: Gateway, client: Client, refusal: Refusal): void {
  const { reason, message = advice(reason), retryAfterMs = 0, requestId = "" } = refusal;
  gateway.metrics.refusals.inc({ reason: ErrorReason[reason] });
  const { retryable } = REASONS[reason];
  const value = { reason, message, retryable, retryAfterMs, requestId };
  client.send(gateway.encoder.encode({ case: "refused", value }));
}

/** Sends a refusal for what a call threw. */
export function refuseError(
  gateway: Gateway,
  client: Client,
  error: ServiceError,
  requestId: string,
): void {
  const { reason, message, retryAfterMs } = error;
  if (reason === ErrorReason.INTERNAL) gateway.onFault(error, "frame not handled");
  refuse(gateway, client, { reason, message, retryAfterMs, requestId });
}

/** Refuses a frame that no honest client sends; too many of them close the socket. */
export function refuseBadFrame(gateway: Gateway, client: Client, refusal: Refusal): void {
  refuse(gateway, client, refusal);
  if (++client.badFrames < gateway.config.BAD_FRAMES_MAX) return;
  gateway.metrics.limitHit("BAD_FRAMES_MAX");
  client.end(CLOSE.badFrames, "too many frames that could not be read");
}

/** The error of a named limit that was hit. Counts it. */
export function slowDown(gateway: Gateway, limit: LimitName, retryAfterMs: number): ServiceError {
  gateway.metrics.limitHit(limit);
  return new ServiceError(ErrorReason.SLOW_DOWN, "too much at once; wait and try again", {
    metadata: { limit },
    retryAfterMs,
  });
}
