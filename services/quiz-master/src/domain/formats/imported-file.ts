/** What every importer takes and gives. An importer is pure and never throws, whatever the bytes. */

import type { QuizContent } from "@fanfare/proto/questions/check-quiz";
import { countThatFits, frozenBytes } from "@fanfare/proto/questions/freeze-question";
import { clip } from "@fanfare/proto/questions/text";
import type { Question } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { LIMITS } from "../limits.js";
import type { FaultList } from "./fault-list.js";

export interface ImportOptions {
  /** For what has no title of its own, in stored form; may be empty. */
  title: string;
  /** Added to what the file says, in stored form. */
  tags: readonly string[];
  /** At most, from 1. */
  questionsPerQuiz: number;
  /** Whether HTML entities are decoded; undefined for the format's own habit. */
  decodesEntities?: boolean | undefined;
}

export interface ImportedFile {
  /** In stored form, in the order of the file. */
  quizzes: QuizContent[];
  faults: FaultList;
  /** Why nothing of the file could be read at all, with the place. */
  unreadable?: string;
}

export type Importer = (content: Uint8Array, options: ImportOptions) => ImportedFile;

/** Cuts a long list of questions into quizzes; where there are several, their titles are numbered. */
export function inParts(whole: QuizContent, questionsPerQuiz: number): QuizContent[] {
  return cut(whole, () => questionsPerQuiz);
}

/** The same, and none of the parts is larger than a session may be. */
export function inPlayableParts(whole: QuizContent, questionsPerQuiz: number): QuizContent[] {
  return cut(whole, (from) => {
    const count = countThatFits(whole.questions.slice(from, from + questionsPerQuiz));
    return Math.max(count, 1);
  });
}

/** So many questions per quiz that every part can be played, wherever it begins. */
export function playableCount(questions: readonly Question[]): number {
  const sizes = questions.map(frozenBytes);
  let [from, bytes, count] = [0, 0, questions.length];
  for (const [to, size] of sizes.entries()) {
    bytes += size;
    for (; bytes > LIMITS.FROZEN_QUIZ_BYTES_MAX; from++) {
      bytes -= sizes[from] ?? 0;
      count = Math.min(count, to - from);
    }
  }
  return Math.max(count, 1);
}

function cut(whole: QuizContent, countFrom: (from: number) => number): QuizContent[] {
  const parts: Question[][] = [];
  for (let at = 0; at < whole.questions.length; at += parts.at(-1)?.length ?? 1)
    parts.push(whole.questions.slice(at, at + countFrom(at)));
  if (parts.length <= 1) return parts.length === 0 ? [] : [whole];
  return parts.map((questions, index) => {
    const number = ` ${index + 1}`;
    const title = clip(whole.title, LIMITS.TITLE_MAX - number.length) + number;
    return { ...whole, title, questions };
  });
}
