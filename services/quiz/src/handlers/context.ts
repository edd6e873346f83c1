/** What handlers are functions of. */

import type { Clock } from "@fanfare/common/bus-clock";
import { ServiceError } from "@fanfare/common/errors";
import type { GuessBudget } from "@fanfare/common/guess-budget";
import { type Identity, isFor, type Tokens } from "@fanfare/common/tokens";
import { isToken } from "@fanfare/proto/addresses";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import type {
  HistoryReader,
  QuizBank,
  SessionLogs,
  SessionStore,
  StoredSession,
} from "../domain/ports.js";
import { isRefusal, type Refusal, SESSION_UNKNOWN } from "../domain/refusal.js";
import { isOver } from "../domain/session.js";
import type { QuizMetrics } from "../metrics.js";

export interface QuizContext {
  store: SessionStore;
  logs: SessionLogs;
  bank: QuizBank;
  history: HistoryReader;
  clock: Clock;
  tokens: Tokens;
  guesses: GuessBudget;
  metrics: QuizMetrics;
  hostTokenSeconds: number;
  answerGraceMs: number;
}

export function toError({ refused, message, metadata }: Refusal): ServiceError {
  return new ServiceError(refused, message, { metadata: metadata ?? {} });
}

export function orThrow<T extends object>(value: T | Refusal): T {
  if (isRefusal(value)) throw toError(value);
  return value;
}

/** The session, made whole. Throws SESSION_NOT_FOUND for what is no token, unknown or half made. */
export async function requireSession(
  context: QuizContext,
  sessionId: string,
): Promise<StoredSession> {
  let stored = isToken(sessionId) ? await context.store.find(sessionId) : undefined;
  // An id that is being made, or made again, may be further on than this pod has heard.
  if (stored && (stored.session.logStart === 0n || isOver(stored.session)))
    stored = await context.store.read(sessionId);
  if (!stored || stored.session.logStart === 0n) throw toError(SESSION_UNKNOWN);
  return stored;
}

/** Whether the session is the caller's own: created by it, or the one that its token is bound to. */
export function isHostOf(identity: Identity, session: HostedSession): boolean {
  if (identity.role !== "host" && identity.role !== "author") return false;
  if (identity.sessionId !== undefined) return isFor(identity, session);
  return identity.subject === session.host;
}

/** What of a session says whose it is. */
type HostedSession = Pick<Session, "sessionId" | "logStart" | "host">;

/** The session as the caller may see it: the PIN is its host's to give away. */
export function shownTo(identity: Identity, session: Session): Session {
  const knowsPin =
    identity.role === "admin" || identity.role === "service" || isHostOf(identity, session);
  return knowsPin ? session : { ...session, pin: "" };
}
