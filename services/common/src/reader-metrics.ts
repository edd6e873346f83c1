/** What a reader of the log counts: one definition for history and leaderboard. */

import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { startAtZero } from "./metrics.js";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** How far a partition has been read. */
interface Place {
  /** Entries that wait behind what was applied. */
  waiting: number;
  /** When the log stored the oldest of them, or a little before. */
  sinceMs: number;
}

export class ReaderMetrics {
  readonly #consumed: Counter<"result">;
  readonly #redelivered: Counter;
  readonly #apply: Histogram;
  /**
   * subject, content, bounds: nobody can read them; ended: scores behind the end of their session;
   * refused: the store can't hold them.
   */
  readonly deadLetters: Counter<"reason">;
  readonly #places = new Map<number, Place>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.#consumed = new Counter({
      name: "quiz_events_consumed_total",
      help: "Log entries by result: applied, or passed over as dead letters",
      labelNames: ["result"],
      registers,
    });
    startAtZero(this.#consumed, "result", ["applied", "passed over"]);
    this.#redelivered = new Counter({
      name: "quiz_events_redelivered_total",
      help: "Entries read again because their batch did not follow the place",
      registers,
    });
    this.#apply = new Histogram({
      name: "quiz_event_apply_duration_seconds",
      help: "Decoding and applying a batch of entries",
      buckets: SECONDS,
      registers,
    });
    this.deadLetters = new Counter({
      name: "quiz_events_dead_lettered_total",
      help: "Entries that could not be read or came too late, by reason; refused (by PostgreSQL) must stay 0",
      labelNames: ["reason"],
      registers,
    });
    startAtZero(this.deadLetters, "reason", ["subject", "content", "bounds", "ended", "refused"]);
    this.#watch(registers);
  }

  /** This pod reads the partition now. */
  begun(partition: number): void {
    if (!this.#places.has(partition)) this.#places.set(partition, { waiting: 0, sinceMs: 0 });
  }

  /** This pod no longer reads the partition. */
  ended(partition: number): void {
    this.#places.delete(partition);
  }

  /** So many entries wait, the oldest stored at `sinceMs` or later, where that is known. */
  waits(partition: number, waiting: number, sinceMs?: number): void {
    const place = this.#places.get(partition);
    if (!place) return;
    if (sinceMs !== undefined) place.sinceMs = sinceMs;
    else if (place.waiting === 0) place.sinceMs = Date.now();
    place.waiting = waiting;
  }

  /** A batch was applied to its end; entries that were passed over are among its entries. */
  applied(batch: { entries: number; passedOver: number; seconds: number }): void {
    const { entries, passedOver, seconds } = batch;
    this.#apply.observe(seconds);
    this.#consumed.inc({ result: "applied" }, entries - passedOver);
    if (passedOver > 0) this.#consumed.inc({ result: "passed over" }, passedOver);
  }

  /** So many entries of a batch lie behind the place that holds, and are read again. */
  redelivered(entries: number): void {
    this.#redelivered.inc(entries);
  }

  #watch(registers: Registry[]): void {
    const places = this.#places;
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge("quiz_event_partitions", "Partitions that this pod reads", () => places.size);
    gauge(
      "quiz_event_consumer_lag",
      "Entries that wait behind what was applied, over this pod's partitions",
      () => [...places.values()].reduce((sum, { waiting }) => sum + waiting, 0),
    );
    gauge(
      "quiz_event_consumer_lag_seconds",
      "Age of the oldest entry that waits, by this pod's clock; 0 while none does",
      () => this.#lagSeconds(),
    );
  }

  #lagSeconds(): number {
    const behind = [...this.#places.values()].filter(({ waiting }) => waiting > 0);
    const now = Date.now();
    return (now - Math.min(now, ...behind.map(({ sinceMs }) => sinceMs))) / 1_000;
  }
}
