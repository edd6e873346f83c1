/** What the leaderboard counts and measures. */
import { Metrics } from "@fanfare/common/metrics";
import { Counter, Gauge, Histogram } from "prom-client";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export class LeaderboardMetrics extends Metrics {
  constructor() {
    super("leaderboard");
  }

  readonly entries = this.#counter("leaderboard_entries_total", "Log entries applied");
  /** counted: from players; outside: from outside publishers; duplicate: ignored, either way. */
  readonly answers = this.#counter("leaderboard_answers_total", "Scores met in the log", "outcome");
  readonly apply = this.#seconds("leaderboard_apply_seconds", "Decoding and applying a batch");
  readonly deadLetters = this.#counter(
    "leaderboard_dead_letters_total",
    "Entries that could not be read",
    "reason",
  );
  readonly auditRounds = this.#counter("leaderboard_audit_rounds_total", "Closed rounds recounted");
  readonly auditMismatches = this.#counter(
    "leaderboard_audit_mismatches_total",
    "Closed rounds whose recount differs from the log's own; stays 0",
  );
  readonly rebuilds = this.#counter(
    "leaderboard_rebuilds_total",
    "Partitions read again, wholly or in part",
    "reason",
  );
  readonly snapshots = this.#counter("leaderboard_snapshots_total", "Snapshots published");
  readonly snapshotSeconds = this.#seconds(
    "leaderboard_snapshot_seconds",
    "Reading a board and publishing it",
  );
  readonly freshness = this.#seconds(
    "leaderboard_freshness_seconds",
    "From the log's storing of the oldest change in a snapshot to its publishing",
  );
  readonly awardedSessions = this.#counter(
    "leaderboard_awarded_sessions_total",
    "Ended sessions whose first players got global points from this pod",
  );
  readonly rpc = new Histogram({
    name: "leaderboard_rpc_seconds",
    help: "Calls served, by method and outcome (ok, or the reason of the refusal)",
    labelNames: ["method", "outcome"],
    buckets: SECONDS,
    registers: [this.registry],
  });

  #counter<L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #seconds(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets: SECONDS, registers: [this.registry] });
  }

  /** Gauges whose values are asked for when they are read. */
  watch(read: { partitions(): number; pending(): number }): void {
    this.#gauge("leaderboard_partitions", "Partitions that this pod reads", read.partitions);
    this.#gauge("leaderboard_pending", "Log entries that wait to be read here", read.pending);
  }

  #gauge(name: string, help: string, read: () => number): Gauge {
    const { registry } = this;
    return new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  }
}
