/** Whose a quiz is: its author changes it, and admins. */
import type {
  DeleteQuizRequest,
  UpdateQuizRequest,
} from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type { QuizShelf } from "../domain/ports.js";
import { quizNotFound } from "./refusals.js";
import { quizIdOf } from "./requests.js";

/** Throws INVALID_FIELD for what is no id, and QUIZ_NOT_FOUND. */
export async function isAuthor(
  shelf: QuizShelf,
  subject: string,
  request: UpdateQuizRequest | DeleteQuizRequest,
): Promise<boolean> {
  const quizId =
    request.$typeName === "quizmaster.v1.DeleteQuizRequest"
      ? quizIdOf(request.quizId)
      : quizIdOf(request.quiz?.quizId ?? "", "quiz.quiz_id");
  const author = await shelf.authorOf(quizId);
  if (author === undefined) throw quizNotFound(quizId);
  return author === subject;
}
