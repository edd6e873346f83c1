/** ExportQuiz: what a session asked, with right answers, once nobody can use them any more. */
import { ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { ExportQuizRequest } from "@fanfare/proto/quiz/v1/quiz_service";
import { isOver } from "../domain/session.js";
import { type QuizContext, requireSession } from "./context.js";

export async function exportQuiz(context: QuizContext, { sessionId }: ExportQuizRequest) {
  const { session } = await requireSession(context, sessionId);
  if (!isOver(session))
    throw new ServiceError(ErrorReason.PHASE_MISMATCH, "the session must have ended");
  return { quiz: await context.store.frozenQuiz(session) };
}
