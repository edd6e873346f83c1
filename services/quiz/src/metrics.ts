/** What the quiz service counts. */
import { Metrics } from "@fanfare/common/metrics";
import { Counter, Gauge, Histogram } from "prom-client";

export class QuizMetrics extends Metrics {
  readonly #on = { registers: [this.registry] };
  readonly calls = new Histogram({
    name: "quiz_rpc_seconds",
    help: "Time of a gRPC call",
    labelNames: ["method", "reason"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    ...this.#on,
  });
  readonly answers = new Counter({
    name: "quiz_answers_total",
    help: "Answers by verdict",
    labelNames: ["outcome"],
    ...this.#on,
  });
  readonly joins = new Counter({
    name: "quiz_joins_total",
    help: "Joins by verdict",
    labelNames: ["outcome"],
    ...this.#on,
  });
  readonly entries = new Counter({
    name: "quiz_log_entries_total",
    help: "Lane entries stored",
    ...this.#on,
  });
  readonly entryChanges = new Histogram({
    name: "quiz_log_entry_changes",
    help: "Answers or player changes in a lane entry",
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000],
    ...this.#on,
  });
  readonly conflicts = new Counter({
    name: "quiz_log_conflicts_total",
    help: "Entries refused because another pod wrote first",
    ...this.#on,
  });
  readonly retries = new Counter({
    name: "quiz_log_retries_total",
    help: "Entries tried again without an answer from the log",
    ...this.#on,
  });
  readonly sessions = new Gauge({
    name: "quiz_sessions",
    help: "Sessions known by phase",
    labelNames: ["phase"],
    ...this.#on,
  });
  readonly clockLate = new Histogram({
    name: "quiz_clock_late_seconds",
    help: "How long after its time a phase was ended by this pod",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    ...this.#on,
  });
}
