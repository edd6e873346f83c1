/** DeleteQuiz: remove a quiz where the version that was read still holds. */
import type { DeleteQuizRequest } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type { QuizShelf } from "../domain/ports.js";
import { quizNotFound, versionMismatch } from "./refusals.js";
import { quizIdOf } from "./requests.js";

export async function deleteQuiz(shelf: QuizShelf, request: DeleteQuizRequest) {
  const quizId = quizIdOf(request.quizId);
  const changed = await shelf.remove(quizId, request.version);
  if (changed.kind === "missing") throw quizNotFound(quizId);
  if (changed.kind === "mismatch") throw versionMismatch(changed.version);
  return {};
}
