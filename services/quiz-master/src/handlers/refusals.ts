/** The refusals that several handlers share. */
import { ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { checkQuiz, type QuizContent } from "@fanfare/proto/questions/check-quiz";
import type { Quiz } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { LIMITS } from "../domain/limits.js";

/** The quiz's content in stored form; QUIZ_INVALID with the rule that it breaks. */
export function contentOf(quiz: Quiz | undefined): QuizContent {
  if (!quiz) throw quizInvalid("no quiz was sent", { field: "quiz" });
  const checked = checkQuiz(quiz);
  if (checked.kind === "valid") return checked.content;
  const { question, field, message, limit } = checked.fault;
  if (limit) throw tooLarge(limit, message);
  if (question === undefined) throw quizInvalid(message, { field });
  throw quizInvalid(`question ${question}: ${message}`, { question: String(question), field });
}

export function quizInvalid(message: string, metadata: Record<string, string>): ServiceError {
  return new ServiceError(ErrorReason.QUIZ_INVALID, message, { metadata });
}

export function tooLarge(limit: keyof typeof LIMITS, message: string): ServiceError {
  return new ServiceError(ErrorReason.TOO_LARGE, message, {
    metadata: { limit, max: String(LIMITS[limit]) },
  });
}

export function quizNotFound(quizId: string): ServiceError {
  return new ServiceError(ErrorReason.QUIZ_NOT_FOUND, `no quiz has the id ${quizId}`);
}

export function versionMismatch(version: bigint): ServiceError {
  return new ServiceError(
    ErrorReason.VERSION_MISMATCH,
    `the quiz is at version ${version}; read it again and make your change to that`,
    { metadata: { version: version.toString() } },
  );
}
