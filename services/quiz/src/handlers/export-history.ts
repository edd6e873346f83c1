/** ExportHistory: every stored answer of a session, from PostgreSQL. */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ServiceError } from "@fanfare/common/errors";
import type { CallContext } from "@fanfare/common/grpc-server";
import { isFor } from "@fanfare/common/tokens";
import { isToken } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { ExportHistoryRequest } from "@fanfare/proto/quiz/v1/quiz_service";
import { SESSION_UNKNOWN } from "../domain/refusal.js";
import { type QuizContext, toError } from "./context.js";

export async function* exportHistory(
  context: QuizContext,
  { sessionId }: ExportHistoryRequest,
  { identity, signal }: CallContext,
) {
  const stored = isToken(sessionId) ? await context.history.findSession(sessionId) : undefined;
  if (!stored) throw toError(SESSION_UNKNOWN);
  const allowed =
    identity.role === "admin" ||
    isFor(identity, { sessionId, logStart: stored.logStart }) ||
    (identity.sessionId === undefined && identity.subject === stored.host);
  if (!allowed)
    throw new ServiceError(ErrorReason.FORBIDDEN, "only the session's own host may do this");
  for await (const rows of context.history.rows(sessionId, stored.place)) {
    if (signal.aborted) return;
    yield { rows: rows.map((row) => ({ ...row, acceptedAt: timestampFromMs(row.acceptedAtMs) })) };
  }
}
