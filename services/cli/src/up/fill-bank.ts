/** Puts the quizzes that come with Fanfare into the bank. What is there already stays as it is. */
import { ServiceError } from "@fanfare/common/errors";
import { createClient, type ServiceClient } from "@fanfare/common/grpc-client";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { untilDone } from "../retry.js";
import type { NewQuiz } from "./new-quiz.js";

export interface Filled {
  /** Quizzes that were not there. */
  added: number;
  quizzes: number;
  questions: number;
}

/** Safe to repeat: quizzes have fixed ids. */
export async function fillBank(
  address: string,
  token: string,
  quizzes: readonly NewQuiz[],
): Promise<Filled> {
  const bank = createClient(QuizMasterService, address, () => token);
  try {
    let added = 0;
    for (const quiz of quizzes) if (await add(bank, quiz)) added++;
    const questions = quizzes.reduce((sum, quiz) => sum + quiz.questions.length, 0);
    return { added, quizzes: quizzes.length, questions };
  } finally {
    bank.close();
  }
}

async function add(bank: ServiceClient<typeof QuizMasterService>, quiz: NewQuiz): Promise<boolean> {
  try {
    await untilDone(() => bank.createQuiz({ quiz }));
    return true;
  } catch (error) {
    if (error instanceof ServiceError && error.reason === ErrorReason.QUIZ_EXISTS) return false;
    throw error;
  }
}
