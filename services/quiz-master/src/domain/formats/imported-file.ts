/** What every importer takes and gives. An importer is pure and never throws, whatever the bytes. */
import { LIMITS } from "../limits.js";
import type { QuizContent } from "../quiz.js";
import { clip } from "../text.js";
import type { FaultList } from "./fault-list.js";

export interface ImportOptions {
  /** For what has no title of its own, in stored form; may be empty. */
  title: string;
  /** Added to what the file says, in stored form. */
  tags: readonly string[];
  /** For formats that have no quizzes, from 1. */
  questionsPerQuiz: number;
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
  const { questions } = whole;
  if (questions.length <= questionsPerQuiz) return questions.length === 0 ? [] : [whole];
  const parts: QuizContent[] = [];
  for (let at = 0; at < questions.length; at += questionsPerQuiz) {
    const number = ` ${parts.length + 1}`;
    const title = clip(whole.title, LIMITS.TITLE_MAX - number.length) + number;
    parts.push({ ...whole, title, questions: questions.slice(at, at + questionsPerQuiz) });
  }
  return parts;
}
