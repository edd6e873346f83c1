/** The metrics of quiz-master. */
import type { ServiceError } from "@fanfare/common/errors";
import { Metrics } from "@fanfare/common/metrics";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Counter, Histogram } from "prom-client";
import { LIMITS } from "./domain/limits.js";
import type { ImportObserver } from "./domain/ports.js";

export class QuizMasterMetrics extends Metrics implements ImportObserver {
  readonly #rpcSeconds = new Histogram({
    name: "quiz_master_rpc_seconds",
    help: "Time of finished calls; reason is OK or the ErrorReason",
    labelNames: ["method", "reason"],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [this.registry],
  });
  readonly #imports = new Counter({
    name: "quiz_master_imports_total",
    help: "Files that were imported",
    labelNames: ["format"],
    registers: [this.registry],
  });
  readonly #questions = new Counter({
    name: "quiz_master_import_questions_total",
    help: "Questions in imported quizzes, those included that were in the bank",
    labelNames: ["format"],
    registers: [this.registry],
  });
  readonly #faults = new Counter({
    name: "quiz_master_import_faults_total",
    help: "Rows of imported files that were mended or left out",
    labelNames: ["format", "outcome"],
    registers: [this.registry],
  });

  constructor() {
    super("quiz-master");
  }

  called(method: string, seconds: number, error: ServiceError | undefined): void {
    const reason = error ? ErrorReason[error.reason] : "OK";
    this.#rpcSeconds.observe({ method, reason }, seconds);
    const limit = error?.metadata.limit;
    if (limit !== undefined) this.limitHits.inc({ limit });
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
