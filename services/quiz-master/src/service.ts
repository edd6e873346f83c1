/** quizmaster.v1.QuizMasterService: who may call what, and which handler does it. */
import type { ServedService } from "@fanfare/common/grpc-server";
import { QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type {
  ImportObserver,
  ImportShelf,
  QuestionPool,
  QuizCatalogue,
  QuizShelf,
} from "./domain/ports.js";
import { createQuiz } from "./handlers/create-quiz.js";
import { deleteQuiz } from "./handlers/delete-quiz.js";
import { drawQuestions } from "./handlers/draw-questions.js";
import { exportQuiz } from "./handlers/export-quiz.js";
import { getQuiz } from "./handlers/get-quiz.js";
import { importQuiz } from "./handlers/import-quiz.js";
import { listQuizzes } from "./handlers/list-quizzes.js";
import { updateQuiz } from "./handlers/update-quiz.js";

type Bank = QuizShelf & QuizCatalogue & ImportShelf & QuestionPool;

export function quizMasterService(
  bank: Bank,
  observer: ImportObserver,
): ServedService<typeof QuizMasterService> {
  return {
    service: QuizMasterService,
    roles: {
      createQuiz: ["author", "admin"],
      getQuiz: ["author", "host", "admin", "service"],
      updateQuiz: ["author", "admin"],
      deleteQuiz: ["author", "admin"],
      listQuizzes: ["author", "host", "admin"],
      importQuiz: ["author", "admin"],
      exportQuiz: ["author", "admin"],
      drawQuestions: ["author", "host", "admin", "service"],
    },
    handlers: {
      createQuiz: (request, call) => createQuiz(bank, request, call.identity.subject),
      getQuiz: (request) => getQuiz(bank, request),
      updateQuiz: (request) => updateQuiz(bank, request),
      deleteQuiz: (request) => deleteQuiz(bank, request),
      listQuizzes: (request) => listQuizzes(bank, request),
      importQuiz: (request, call) =>
        importQuiz({ shelf: bank, observer }, request, call.identity.subject),
      exportQuiz: (request) => exportQuiz(bank, request),
      drawQuestions: (request) => drawQuestions(bank, request),
    },
  };
}
