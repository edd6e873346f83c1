/** What quiz-master counts (docs/metrics.md). */
import { Metrics } from "@fanfare/common/metrics";
import { Counter } from "prom-client";
import { LIMITS } from "./domain/limits.js";
import type { ImportObserver } from "./domain/ports.js";

export class QuizMasterMetrics extends Metrics implements ImportObserver {
  readonly postgres = this.operations("postgresql");
  readonly #imports = new Counter({
    name: "quiz_bank_imports_total",
    help: "Files that were imported",
    labelNames: ["format"],
    registers: [this.registry],
  });
  readonly #questions = new Counter({
    name: "quiz_bank_import_questions_total",
    help: "Questions in imported quizzes, those included that were in the bank",
    labelNames: ["format"],
    registers: [this.registry],
  });
  readonly #faults = new Counter({
    name: "quiz_bank_import_faults_total",
    help: "Rows of imported files that were mended or left out",
    labelNames: ["format", "outcome"],
    registers: [this.registry],
  });

  constructor() {
    super("quiz-master");
  }

  imported(outcome: Parameters<ImportObserver["imported"]>[0]): void {
    const { format, questions, mended, leftOut } = outcome;
    this.#imports.inc({ format });
    this.#questions.inc({ format }, questions);
    this.#faults.inc({ format, outcome: "mended" }, mended);
    this.#faults.inc({ format, outcome: "left out" }, leftOut);
    if (mended + leftOut > LIMITS.IMPORT_FAULTS_MAX)
      this.limitHits.inc({ limit: "IMPORT_FAULTS_MAX" });
  }
}
