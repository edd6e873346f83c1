/** What the leaderboard counts and measures (docs/metrics.md). */
import { Metrics, startAtZero } from "@fanfare/common/metrics";
import { ReaderMetrics } from "@fanfare/common/reader-metrics";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const REBUILD_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];

export class LeaderboardMetrics extends Metrics {
  #players: () => number = () => 0;

  constructor(options?: { isRehearsed: boolean }) {
    super("leaderboard", options);
    startAtZero(this.scores, "result", ["counted", "outside", "duplicate"]);
    startAtZero(this.rebuilds, "reason", ["requested", "empty", "behind", "generation"]);
  }

  readonly reader = new ReaderMetrics(this.registry);
  readonly redis = this.operations("redis");
  readonly postgres = this.operations("postgresql");
  /** counted: from players; outside: from outside publishers; duplicate: ignored, either way. */
  readonly scores = this.counter(
    "quiz_leaderboard_scores_total",
    "Scores met in the log: counted, outside (counted, of outside publishers), duplicate",
    "result",
  );
  readonly auditRounds = this.counter("quiz_audit_runs_total", "Closed rounds recounted");
  readonly auditMismatches = this.counter(
    "quiz_audit_mismatches_total",
    "Closed rounds whose recount differs from the log's own; must stay 0",
  );
  readonly rebuilds = this.counter(
    "quiz_leaderboard_rebuilds_total",
    "Partitions read again, wholly or in part",
    "reason",
  );
  readonly rebuildSeconds = this.histogram(
    "quiz_leaderboard_rebuild_duration_seconds",
    "From a rebuild's begin to its having caught up",
    REBUILD_SECONDS,
  );
  readonly snapshots = this.counter("quiz_leaderboard_snapshots_total", "Snapshots published");
  readonly coalesced = this.counter(
    "quiz_leaderboard_coalesced_triggers_total",
    "Changes that needed no snapshot of their own",
  );
  readonly refreshSeconds = this.histogram(
    "quiz_leaderboard_refresh_duration_seconds",
    "Reading a board and publishing it",
    SECONDS,
  );
  readonly publishDelay = this.histogram(
    "quiz_leaderboard_publish_delay_seconds",
    "From the log's storing of the oldest change in a snapshot to its publishing",
    SECONDS,
  );
  readonly awardedSessions = this.counter(
    "quiz_leaderboard_awarded_sessions_total",
    "Ended sessions whose first players got global points from this pod",
  );
  readonly sessionPlayers = this.gauge(
    "quiz_session_players",
    "Players of sessions that have not ended, over this pod's partitions",
    () => this.#players(),
  );

  /** From now on players are counted by this, once a page. */
  watchPlayers(count: () => number): void {
    this.#players = count;
  }
}
