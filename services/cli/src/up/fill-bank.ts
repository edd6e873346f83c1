/** Puts the quizzes that come with Fanfare into the bank. What is there already stays as it is. */
import { ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { type Door, openDoor } from "../door.js";
import { untilDone } from "../retry.js";
import { DEMO_QUIZ } from "./demo-quiz.js";
import type { NewQuiz } from "./new-quiz.js";
import { landsOfPackage, worldQuizzes } from "./world-quizzes.js";

export interface Filled {
  /** Quizzes that were not there. */
  added: number;
  quizzes: number;
  questions: number;
}

/** Safe to repeat: quizzes have fixed ids. `urls` are gateways, `token` is an admin's. */
export async function fillBank(urls: readonly string[], token: string): Promise<Filled> {
  const bank = openDoor(QuizMasterService, urls, token);
  const quizzes = [DEMO_QUIZ, ...worldQuizzes(landsOfPackage())];
  let added = 0;
  for (const quiz of quizzes) if (await add(bank, quiz)) added++;
  const questions = quizzes.reduce((sum, quiz) => sum + quiz.questions.length, 0);
  return { added, quizzes: quizzes.length, questions };
}

async function add(bank: Door<typeof QuizMasterService>, quiz: NewQuiz): Promise<boolean> {
  try {
    await untilDone(() => bank.createQuiz({ quiz }));
    return true;
  } catch (error) {
    if (error instanceof ServiceError && error.reason === ErrorReason.QUIZ_EXISTS) return false;
    throw error;
  }
}
