/** What handlers are functions of. */

import type { Clock } from "@fanfare/common/bus-clock";
import { ServiceError } from "@fanfare/common/errors";
import type { CallContext } from "@fanfare/common/grpc-server";
import { isFor, type Tokens } from "@fanfare/common/tokens";
import { isToken } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
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

/** The session, for its own host or an admin. */
export async function requireHost(
  context: QuizContext,
  sessionId: string,
  { identity }: CallContext,
): Promise<Session> {
  const { session } = await requireSession(context, sessionId);
  const isHost =
    identity.role === "admin" ||
    identity.role === "service" ||
    isFor(identity, session) ||
    (identity.sessionId === undefined && identity.subject === session.host);
  if (!isHost)
    throw new ServiceError(ErrorReason.FORBIDDEN, "only the session's own host may do this");
  return session;
}
