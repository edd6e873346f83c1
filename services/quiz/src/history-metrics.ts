/** What the history writer counts (docs/metrics.md). */
import { Metrics } from "@fanfare/common/metrics";
import type { Sql } from "@fanfare/common/postgres";
import { ReaderMetrics } from "@fanfare/common/reader-metrics";
import { Gauge } from "prom-client";
import type { Tx } from "./adapters/log-places.js";

export class HistoryMetrics extends Metrics {
  readonly reader = new ReaderMetrics(this.registry);
  readonly postgres = this.operations("postgresql");
  readonly rows = this.counter("quiz_history_rows_written_total", "Scores written to PostgreSQL");
  readonly duplicates = this.counter(
    "quiz_history_duplicates_total",
    "Scores that PostgreSQL had already; outside publishers only, answers are fenced before",
  );
  readonly batchSeconds = this.histogram(
    "quiz_history_batch_duration_seconds",
    "Writing one batch of log entries",
    [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  );
  readonly lagSeconds = this.histogram(
    "quiz_history_lag_seconds",
    "From an entry's place in the log to its rows",
    [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600],
  );
  readonly purged = this.counter(
    "quiz_history_sessions_purged_total",
    "Ended sessions whose log was purged",
  );
  readonly silentEnded = this.counter(
    "quiz_history_silent_sessions_ended_total",
    "Sessions without a record that ended as nothing came for SILENT_SESSION_S",
  );
  readonly pinsLeft = this.counter(
    "quiz_history_pins_swept_total",
    "PINs that their sessions had left behind",
  );
  readonly auditedRounds = this.counter(
    "quiz_audit_runs_total",
    "Closed rounds that were counted again",
  );
  readonly auditMismatches = this.counter(
    "quiz_audit_mismatches_total",
    "Closed rounds whose rows differ from the lanes; must stay 0",
  );
  readonly #poolWait = this.histogram(
    "quiz_db_pool_wait_duration_seconds",
    "How long a transaction waited for its connection, the round trip of BEGIN included",
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );
  #busy = 0;
  #log = { bytes: 0, limitBytes: 0 };

  /** `connectionsMax` is what the pool of PostgreSQL may open. */
  constructor(connectionsMax: number) {
    super("history");
    this.gauge("quiz_log_bytes", "Bytes that the log holds", () => this.#log.bytes);
    this.gauge(
      "quiz_log_limit_bytes",
      "Bytes that the log may hold before it refuses new entries; 0: no limit of its own",
      () => this.#log.limitBytes,
    );
    const busy = () => this.#busy;
    new Gauge({
      name: "quiz_db_pool_connections",
      help: "PostgreSQL connections: busy with a transaction, or idle (some of them not open yet)",
      labelNames: ["state"],
      registers: [this.registry],
      collect() {
        this.set({ state: "busy" }, busy());
        this.set({ state: "idle" }, connectionsMax - busy());
      },
    });
  }

  /** The log's size, and its limit: none where that is not positive. */
  logHolds(bytes: number, limitBytes: number): void {
    this.#log = { bytes, limitBytes: Math.max(0, limitBytes) };
  }

  /** A transaction of its pool, with the time until it has its connection. */
  async transaction<T>(sql: Sql, work: (tx: Tx) => Promise<T>): Promise<T> {
    const askedAt = performance.now();
    const result = await sql.begin(async (tx) => {
      this.#poolWait.observe((performance.now() - askedAt) / 1_000);
      this.#busy++;
      try {
        return await work(tx);
      } finally {
        this.#busy--;
      }
    });
    return result as T;
  }
}
