/** CreateQuiz: check the quiz, store it as version 1. */
import { ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { CreateQuizRequest } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type { QuizShelf } from "../domain/ports.js";
import { newQuizId } from "../domain/quiz-id.js";
import { contentOf } from "./refusals.js";
import { quizIdOf } from "./requests.js";

export async function createQuiz(shelf: QuizShelf, request: CreateQuizRequest, author: string) {
  const content = contentOf(request.quiz);
  const chosen = request.quiz?.quizId;
  const quizId = chosen ? quizIdOf(chosen, "quiz.quiz_id") : newQuizId();
  const quiz = await shelf.create(quizId, content, author);
  if (quiz) return { quiz };
  throw new ServiceError(
    ErrorReason.QUIZ_EXISTS,
    `the quiz id ${quizId} is in use; choose another or leave it empty`,
  );
}
