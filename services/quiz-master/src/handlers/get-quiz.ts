/** GetQuiz: read one quiz with its right answers. */
import type { GetQuizRequest } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type { QuizShelf } from "../domain/ports.js";
import { quizNotFound } from "./refusals.js";
import { quizIdOf } from "./requests.js";

export async function getQuiz(shelf: QuizShelf, request: GetQuizRequest) {
  const quizId = quizIdOf(request.quizId);
  const quiz = await shelf.get(quizId);
  if (!quiz) throw quizNotFound(quizId);
  return { quiz };
}
