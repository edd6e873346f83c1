/** What the history writer counts. */
import { Metrics } from "@fanfare/common/metrics";
import { Counter, Gauge, Histogram } from "prom-client";

export class HistoryMetrics extends Metrics {
  readonly #on = { registers: [this.registry] };
  readonly rows = new Counter({
    name: "history_rows_total",
    help: "Scores written to PostgreSQL",
    ...this.#on,
  });
  readonly duplicates = new Counter({
    name: "history_duplicates_total",
    help: "Scores that PostgreSQL had already; outside publishers only, answers are fenced before",
    ...this.#on,
  });
  /** subject, content, bounds: nobody can read them; refused: PostgreSQL can't hold them. */
  readonly deadLetters = new Counter({
    name: "history_dead_letters_total",
    help: "Log entries that were passed over; refused by PostgreSQL must stay 0",
    labelNames: ["reason"],
    ...this.#on,
  });
  readonly batchSeconds = new Histogram({
    name: "history_batch_seconds",
    help: "Time to write one batch of log entries",
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    ...this.#on,
  });
  readonly lagSeconds = new Histogram({
    name: "history_lag_seconds",
    help: "From an entry's place in the log to its rows",
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600],
    ...this.#on,
  });
  readonly pending = new Gauge({
    name: "history_pending_entries",
    help: "Log entries behind the last batch",
    labelNames: ["partition"],
    ...this.#on,
  });
  readonly auditedRounds = new Counter({
    name: "history_audit_rounds_total",
    help: "Closed rounds that were counted again",
    ...this.#on,
  });
  readonly auditMismatches = new Counter({
    name: "history_audit_mismatches_total",
    help: "Closed rounds whose rows differ from the lanes; must stay 0",
    ...this.#on,
  });
  readonly purged = new Counter({
    name: "history_sessions_purged_total",
    help: "Ended sessions whose log was purged",
    ...this.#on,
  });
}
