/** What the handlers need of the bank's store, by use. All reject with UNAVAILABLE within seconds. */

import type { QuizContent } from "@fanfare/proto/questions/check-quiz";
import type { Question, Quiz, QuizHead } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type { PagePosition } from "./page-token.js";
import type { Alternative } from "./search-query.js";

/** Single quizzes, with optimistic versions. */
export interface QuizShelf {
  /** Stores version 1; undefined when the id is in use. */
  create(quizId: string, content: QuizContent, author: string): Promise<Quiz | undefined>;
  get(quizId: string): Promise<Quiz | undefined>;
  /** Who made a quiz; undefined where there is none. */
  authorOf(quizId: string): Promise<string | undefined>;
  /** Replaces the content if `version` still holds, in one step. */
  update(quizId: string, version: bigint, content: QuizContent): Promise<Changed<Quiz>>;
  /** Removes the quiz if `version` still holds, in one step; version 0 removes any. */
  remove(quizId: string, version: bigint): Promise<Changed<void>>;
}

export type Changed<T> =
  | { kind: "changed"; value: T }
  | { kind: "mismatch"; version: bigint }
  | { kind: "missing" };

export interface ListQuery {
  tags: readonly string[];
  /** One of these must hold; undefined for all quizzes. */
  search: readonly Alternative[] | undefined;
  pageSize: number;
  after: PagePosition | undefined;
}

export interface QuizCatalogue {
  /**
   * Newest first, of a search those first that have it in their title; `next` is where the page after
   * this one begins.
   */
  list(query: ListQuery): Promise<{ heads: QuizHead[]; next: PagePosition | undefined }>;
}

export interface ImportShelf {
  /**
   * Stores all in one step, those excepted whose title and content this author has in the bank already.
   * The heads of all come back in the order given. Safe to repeat.
   */
  addMissing(contents: readonly QuizContent[], author: string): Promise<QuizHead[]>;
}

export interface QuestionPool {
  /** Different questions of quizzes with all of `tags`; the same seed and bank give the same ones. */
  draw(tags: readonly string[], count: number, seed: number): Promise<Question[]>;
}

/** Is told what imports did; for metrics. */
export interface ImportObserver {
  imported(outcome: {
    format: string;
    questions: number;
    mended: number;
    leftOut: number;
    /** Quizzes that were left out because no session could hold them. */
    tooLarge: number;
  }): void;
}
