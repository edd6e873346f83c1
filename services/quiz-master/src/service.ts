/** quizmaster.v1.QuizMasterService: who may call what, and which handler does it. */
import type { ServedService } from "@fanfare/common/grpc-server";
import { QUIZ_MASTER_ACCESS } from "@fanfare/proto/access";
import {
  type DeleteQuizRequest,
  QuizMasterService,
  type UpdateQuizRequest,
} from "@fanfare/proto/quizmaster/v1/quiz_master_service";
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
import { isAuthor } from "./handlers/is-author.js";
import { listQuizzes } from "./handlers/list-quizzes.js";
import { updateQuiz } from "./handlers/update-quiz.js";

type Bank = QuizShelf & QuizCatalogue & ImportShelf & QuestionPool;

export function quizMasterService(
  bank: Bank,
  observer: ImportObserver,
): ServedService<typeof QuizMasterService> {
  return {
    service: QuizMasterService,
    access: QUIZ_MASTER_ACCESS,
    owners: {
      quizOwner: ({ subject }, request: UpdateQuizRequest | DeleteQuizRequest) =>
        isAuthor(bank, subject, request),
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
