/**
 * Why a socket was closed. The range carries the policy: 4000-4499 come back (with back-off and a
 * resume token), 4500-4999 don't. Clients branch on the number, never on the text.
 */
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";

export const CLOSE = {
  /** This gateway is stopping; another one takes the client. */
  restarting: 4001,
  /** The client reads too slowly; a new connection begins with a fresh picture. */
  tooSlow: 4002,
  /** Something that the client needs can't be reached or is full now. */
  tryAgain: 4003,
  /** A new session took over this id; watchers and hosts come back to it. */
  beganAnew: 4004,
  /** No hello came in time. */
  helloLate: 4005,
  /** The token is expired, forged or for something else. */
  badToken: 4501,
  /** The same player came in through a newer connection. */
  replaced: 4502,
  /** A host removed the player. */
  removed: 4503,
  /** Too many frames that could not be read. */
  badFrames: 4504,
  /** The hello was refused for a reason that coming back does not change; the frame before says it. */
  refused: 4505,
  /** The client speaks a protocol version that this server doesn't. */
  unsupportedVersion: 4506,
  /** The session was deleted. */
  sessionGone: 4507,
} as const;

export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

/** The code that follows a refused hello. */
export function closeCodeFor(reason: ErrorReason, retryable: boolean): CloseCode {
  switch (reason) {
    case ErrorReason.UNAUTHENTICATED:
    case ErrorReason.FORBIDDEN:
      return CLOSE.badToken;
    case ErrorReason.KICKED:
    case ErrorReason.BANNED:
      return CLOSE.removed;
    case ErrorReason.UNSUPPORTED_VERSION:
      return CLOSE.unsupportedVersion;
    default:
      return retryable ? CLOSE.tryAgain : CLOSE.refused;
  }
}
