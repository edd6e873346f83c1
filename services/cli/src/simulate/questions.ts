/** What a simulated session plays: questions drawn from the bank, or those of a file. */
import { readFile } from "node:fs/promises";
import {
  ImportFormat,
  type Question,
  type QuizMasterService,
} from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type { Door } from "../door.js";

export interface Asked {
  title: string;
  questions: Question[];
}

/** Draws `count` questions; the same seed draws the same from the same bank. */
export async function drawQuestions(
  bank: Door<typeof QuizMasterService>,
  count: number,
  seed: number,
): Promise<Asked> {
  const { questions } = await bank.drawQuestions({ count, seed });
  return { title: "Simulation", questions: fill(questions, count) };
}

/** Imports a file of the design document's JSON into the bank, and takes its questions in order. */
export async function importQuestions(
  bank: Door<typeof QuizMasterService>,
  file: string,
  count: number,
  tell: (line: string) => void,
): Promise<Asked> {
  const content = await readFile(file);
  const imported = await bank.importQuiz({
    format: ImportFormat.JSON,
    content,
    title: "Imported for a simulation",
  });
  for (const { line, reason, mended } of imported.faults)
    tell(`${file}:${line}: ${reason} (${mended ? "mended" : "left out"})`);
  const quizzes = await Promise.all(imported.quizzes.map(({ quizId }) => bank.getQuiz({ quizId })));
  const questions = quizzes.flatMap(({ quiz }) => quiz?.questions ?? []);
  if (questions.length === 0) throw new Error(`${file} holds no question that can be asked`);
  return { title: quizzes[0]?.quiz?.title ?? "Simulation", questions: fill(questions, count) };
}

/** Where there are fewer questions than rounds, they are asked again from the first. */
function fill(questions: readonly Question[], count: number): Question[] {
  return Array.from({ length: count }, (_, round) => questions[round % questions.length]).filter(
    (question) => question !== undefined,
  );
}
