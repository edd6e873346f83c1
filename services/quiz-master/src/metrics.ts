/** What quiz-master counts (docs/metrics.md). */
import { Metrics } from "@fanfare/common/metrics";
import { LIMITS } from "./domain/limits.js";
import type { ImportObserver } from "./domain/ports.js";

export class QuizMasterMetrics extends Metrics implements ImportObserver {
  readonly postgres = this.operations("postgresql");
  readonly #imports = this.counter("quiz_bank_imports_total", "Files that were imported", "format");
  readonly #questions = this.counter(
    "quiz_bank_import_questions_total",
    "Questions in imported quizzes, those included that were in the bank",
    "format",
  );
  readonly #faults = this.counter(
    "quiz_bank_import_faults_total",
    "Rows of imported files that were mended or left out",
    "format",
    "outcome",
  );

  constructor() {
    super("quiz-master");
  }

  imported(outcome: Parameters<ImportObserver["imported"]>[0]): void {
    const { format, questions, mended, leftOut, tooLarge } = outcome;
    this.#imports.inc({ format });
    this.#questions.inc({ format }, questions);
    this.#faults.inc({ format, outcome: "mended" }, mended);
    this.#faults.inc({ format, outcome: "left out" }, leftOut);
    this.limitHits.inc({ limit: "FROZEN_QUIZ_BYTES_MAX" }, tooLarge);
    if (mended + leftOut > LIMITS.IMPORT_FAULTS_MAX)
      this.limitHits.inc({ limit: "IMPORT_FAULTS_MAX" });
  }
}
