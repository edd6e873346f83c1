/** Quizzes as they are given to CreateQuiz: the messages of the contract, not yet created. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { QuestionSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";

type QuestionInit = MessageInitShape<typeof QuestionSchema>;

export type NewQuestion = Pick<QuestionInit, "explanation"> &
  Required<Pick<QuestionInit, "type" | "question" | "options" | "answer">>;

export interface NewQuiz {
  quizId: string;
  title: string;
  tags: string[];
  questions: NewQuestion[];
}
