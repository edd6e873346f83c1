/** ExportQuiz: one quiz as a file that ImportQuiz reads back the same. */
import type { ExportQuizRequest } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { writeDesignJson } from "../domain/formats/design-json-export.js";
import type { QuizShelf } from "../domain/ports.js";
import { getQuiz } from "./get-quiz.js";

export async function exportQuiz(shelf: QuizShelf, request: ExportQuizRequest) {
  const { quiz } = await getQuiz(shelf, { ...request, $typeName: "quizmaster.v1.GetQuizRequest" });
  return { content: writeDesignJson(quiz) };
}
