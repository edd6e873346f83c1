/** What a quiz pod counts (docs/metrics.md). */
import { guessLimits } from "@fanfare/common/guess-budget";
import { Metrics, startAtZero } from "@fanfare/common/metrics";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import { Gauge } from "prom-client";

export class QuizMetrics extends Metrics {
  #sessions: () => Iterable<Session> = () => [];
  #frozen: () => number = () => 0;

  constructor(options?: { isRehearsed: boolean }) {
    super("quiz", options);
    startAtZero(this.#verdicts, "result", ["accepted", "UNAVAILABLE"]);
    startAtZero(this.#joins, "result", ["joined"]);
    startAtZero(this.#published, "result", ["stored", "conflict", "retry"]);
    startAtZero(this.limitHits, "limit", Object.keys(guessLimits));
  }

  readonly #verdicts = this.counter(
    "quiz_answer_verdicts_total",
    "Answers as they were decided: accepted, or the reason",
    "result",
  );
  readonly #duplicates = this.counter(
    "quiz_answer_duplicates_total",
    "Answers that had their verdict already: sent again, or a second one",
  );
  readonly #late = this.counter("quiz_answer_late_total", "Answers after the end of their round");
  readonly #joins = this.counter(
    "quiz_session_joins_total",
    "Joins as they were decided: joined, or the reason",
    "result",
  );
  readonly #published = this.counter(
    "quiz_events_published_total",
    "Lane entries: stored, refused as another pod wrote first, or tried again without an answer",
    "result",
  );
  readonly publishSeconds = this.histogram(
    "quiz_event_publish_duration_seconds",
    "From a lane entry's publishing to its acknowledgement",
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  );
  readonly #changes = this.histogram(
    "quiz_event_changes",
    "Answers or player changes in a lane entry",
    [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000],
  );
  readonly #fenceLost = this.counter(
    "quiz_session_fence_lost_total",
    "Entries refused because another pod wrote first",
  );
  readonly clockLate = this.histogram(
    "quiz_session_clock_late_seconds",
    "How long after its time a phase was ended by this pod",
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  );
  readonly givenBack = this.counter(
    "quiz_session_given_back_seconds_total",
    "Time that rounds got back for outages of the log",
  );
  readonly closedEarly = this.counter(
    "quiz_session_rounds_closed_early_total",
    "Rounds that this pod closed because everybody who was there had answered",
  );

  readonly frozenBytes = this.gauge(
    "quiz_frozen_cache_bytes",
    "Questions of sessions kept in memory, as stored",
    () => this.#frozen(),
  );
  readonly abandoned = this.counter(
    "quiz_sessions_abandoned_total",
    "Sessions that this pod ended because nobody had moved them on for SESSION_IDLE_S",
  );

  readonly sessions = this.#countSessions();

  /** Counts a batch of answers: by reason, UNSPECIFIED for the accepted ones. */
  answersDecided(
    refusals: readonly { refused: ErrorReason }[],
    { duplicates }: { duplicates: number },
  ): void {
    for (const [reason, count] of tally(refusals)) {
      const result = reason === ErrorReason.UNSPECIFIED ? "accepted" : ErrorReason[reason];
      this.#verdicts.inc({ result }, count);
      if (reason === ErrorReason.ROUND_CLOSED) this.#late.inc(count);
    }
    if (duplicates > 0) this.#duplicates.inc(duplicates);
  }

  /** Counts a batch of joins: by reason, without one for who is in. */
  joinsDecided(results: readonly { refused?: ErrorReason }[]): void {
    const refusals = results.map(({ refused = ErrorReason.UNSPECIFIED }) => ({ refused }));
    for (const [reason, count] of tally(refusals)) {
      const result = reason === ErrorReason.UNSPECIFIED ? "joined" : ErrorReason[reason];
      this.#joins.inc({ result }, count);
    }
  }

  /** An entry with so many changes was stored, so long after it was published. */
  entryStored(changes: number, seconds: number): void {
    this.#published.inc({ result: "stored" });
    this.#changes.observe(changes);
    this.publishSeconds.observe(seconds);
  }

  /** An entry was refused, as another pod wrote first. */
  entryRefused(): void {
    this.#published.inc({ result: "conflict" });
    this.#fenceLost.inc();
  }

  /** An entry got no answer from the log. */
  entryUnanswered(): void {
    this.#published.inc({ result: "retry" });
  }

  /** An entry was refused, as the log holds all that it may. */
  logFull(): void {
    this.limitHits.inc({ limit: "NATS_LOG_BYTES_MAX" });
  }

  /** Lanes of rounds that are over were asked for too often, or hold more than is kept. */
  pastLimitHit(limit: "PAST_LANES_PER_SECOND_MAX" | "PAST_ANSWERS_MAX"): void {
    this.limitHits.inc({ limit });
  }

  /** From now on the cache of questions says its size by this, once a page. */
  watchFrozen(bytes: () => number): void {
    this.#frozen = bytes;
  }

  /** Sessions are those of this pod's watch from now on; gone through once a page. */
  watchSessions(all: () => Iterable<Session>): void {
    this.#sessions = all;
  }

  #countSessions(): Gauge<"state"> {
    const sessions = () => this.#sessions();
    return new Gauge({
      name: "quiz_sessions_active",
      help: "Sessions that have not ended, by phase; each pod knows all: take the greatest",
      labelNames: ["state"],
      registers: [this.registry],
      collect() {
        for (const [state, count] of countByState(sessions())) this.set({ state }, count);
      },
    });
  }
}

const STATES = [Phase.LOBBY, Phase.READING, Phase.OPEN, Phase.CLOSING, Phase.REVEAL];

/** By name of the phase. A record that is still being made is no session yet. */
function countByState(sessions: Iterable<Session>): Map<string, number> {
  const counts = new Map(STATES.map((phase) => [phase, 0]));
  for (const { phase, logStart } of sessions) {
    const count = counts.get(phase);
    if (count !== undefined && logStart !== 0n) counts.set(phase, count + 1);
  }
  return new Map([...counts].map(([phase, count]) => [Phase[phase].toLowerCase(), count]));
}

/** Once a batch: a labelled counter costs as much as a score. */
function tally(verdicts: readonly { refused: ErrorReason }[]): Map<ErrorReason, number> {
  const counts = new Map<ErrorReason, number>();
  for (const { refused } of verdicts) counts.set(refused, (counts.get(refused) ?? 0) + 1);
  return counts;
}
