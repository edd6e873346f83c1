/** The bounds that quiz_master_service.proto documents, by name; those of a quiz are shared with sessions. */
import { QUIZ_LIMITS } from "@fanfare/proto/questions/limits";

export const LIMITS = {
  ...QUIZ_LIMITS,
  IMPORT_BYTES_MAX: 3 * 1024 * 1024,
  /** Quizzes that one file may become: bounds the response and the insert. */
  IMPORT_QUIZZES_MAX: 10_000,
  /** What is told of a file's rows: entries, and lines of one entry. */
  IMPORT_FAULTS_MAX: 10_000,
  /** Texts of what was left out, and as much again of what was kept. */
  IMPORT_REPORT_BYTES_MAX: 1024 * 1024,
  IMPORT_FAULT_LINES_MAX: 1_000,
  EXCERPT_MAX: 80,
  PAGE_SIZE_MAX: 200,
  SEARCH_TEXT_MAX: 200,
  DRAW_MAX: 500,
} as const;

export const PAGE_SIZE_DEFAULT = 50;
