/** UpdateQuiz: check the new content, store it where the version that was read still holds. */
import type { UpdateQuizRequest } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type { QuizShelf } from "../domain/ports.js";
import { contentOf, quizNotFound, versionMismatch } from "./refusals.js";
import { quizIdOf } from "./requests.js";

export async function updateQuiz(shelf: QuizShelf, request: UpdateQuizRequest) {
  const content = contentOf(request.quiz);
  const quizId = quizIdOf(request.quiz?.quizId ?? "", "quiz.quiz_id");
  const changed = await shelf.update(quizId, request.quiz?.version ?? 0n, content);
  if (changed.kind === "missing") throw quizNotFound(quizId);
  if (changed.kind === "mismatch") throw versionMismatch(changed.version);
  return { quiz: changed.value };
}
