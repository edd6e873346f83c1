/**
 * Takes snapshots of changed boards and publishes them, at most one per session and interval, the
 * last one for sure: what fails is tried again.
 */
import { Backoff, type Random } from "@fanfare/common/backoff";
import type { Clock } from "@fanfare/common/bus-clock";
import { failBusSpan, startBusSpan } from "@fanfare/common/bus-spans";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import { endSpan, type Span } from "@fanfare/common/tracing";
import { LEADERBOARD_TEMPLATE, partitionOf } from "@fanfare/proto/addresses";
import { Coalescer, type Due } from "../domain/coalescer.js";
import type { PlayerCounts } from "../domain/player-counts.js";
import type { LeaderboardMetrics } from "../metrics.js";
import type { LeaderboardStream } from "./leaderboard-stream.js";
import type { RedisBoards } from "./redis-boards.js";
import type { Progress } from "./redis-standings.js";

/** Rows of a snapshot. */
const ROWS_MAX = 100;
/** Snapshots that are read and published at the same time. */
const SNAPSHOTS_AT_ONCE_MAX = 16;
/** A reader that reads older entries than this, and has more to read, is catching up: … */
const BEHIND_MS = 1_000;
/** … what it has built so far is half a board, and held back for so long. */
const HOLD_MAX_MS = 1_000;
/** All boards of a partition that was taken over are looked at, at most this often. */
const SWEEP_EVERY_MS = 1_000;
/** Before a board that could not be read or published is tried again. */
const RETRY = { firstMs: 200, maxMs: 2_000 };
/** Traced changes that one snapshot links to. */
const ORIGINS_MAX = 100;

export interface SnapshotParts {
  boards: RedisBoards;
  stream: LeaderboardStream;
  /** Learns how many have joined each board. */
  players: PlayerCounts;
  clock: Clock;
  metrics: LeaderboardMetrics;
  lifecycle: Lifecycle;
  everyMs: number;
  /** Draws the waits before another try. */
  random?: Random;
}

export class Snapshots {
  readonly #coalescers = new Map<number, Coalescer>();
  readonly #sweeps = new Map<number, NodeJS.Timeout>();
  readonly #sweptAt = new Map<number, number>();
  readonly #work = new Set<Promise<void>>();
  /** Traced changes of boards whose snapshot is still to come. */
  readonly #origins = new Map<string, Span[]>();
  /** Of boards that failed, until they do not. */
  readonly #backoffs = new Map<string, Backoff>();
  #timer: NodeJS.Timeout | undefined;
  #failing = false;
  #ended = false;

  constructor(private readonly parts: SnapshotParts) {
    parts.lifecycle.push("snapshots", () => this.#end());
  }

  /** Boards of a partition have changed, each since its time on the log's clock. */
  changed(
    partition: number,
    since: ReadonlyMap<string, number>,
    { pending, storedAtMs, changes, spans }: Progress,
  ): void {
    const coalescer = this.#coalescer(partition);
    const isBehind = pending > 0 && this.parts.clock.now() - storedAtMs > BEHIND_MS;
    if (isBehind) coalescer.hold(performance.now());
    else coalescer.release();
    let waiting = 0;
    for (const [sessionId, at] of since) if (coalescer.mark(sessionId, at)) waiting++;
    for (const [sessionId, span] of spans ?? []) this.#noteOrigin(sessionId, span);
    this.parts.metrics.coalesced.inc(changes - waiting);
    this.#pump();
  }

  #noteOrigin(sessionId: string, span: Span): void {
    const origins = this.#origins.get(sessionId) ?? [];
    if (origins.length < ORIGINS_MAX) origins.push(span);
    this.#origins.set(sessionId, origins);
  }

  /** Nothing is left to be read: what there is may be shown. */
  idle(partition: number): void {
    this.#coalescers.get(partition)?.release();
    this.#pump();
  }

  /**
   * Whoever read this partition before may have left boards unpublished: looks at each soon. They
   * may as well be half built, so they are held until it is known how much is still to be read.
   */
  takenOver(partition: number): void {
    this.#coalescer(partition).hold(performance.now());
    if (this.#sweeps.has(partition) || this.#ended) return;
    const sweptAt = this.#sweptAt.get(partition) ?? Number.NEGATIVE_INFINITY;
    const wait = Math.max(0, sweptAt + SWEEP_EVERY_MS - performance.now());
    const timer = setTimeout(() => {
      this.#sweeps.delete(partition);
      this.#sweptAt.set(partition, performance.now());
      this.#begin(this.#sweep(partition));
    }, wait);
    this.#sweeps.set(partition, timer);
  }

  async #sweep(partition: number): Promise<void> {
    try {
      const sessions = await this.parts.boards.sessionsOf(partition);
      this.parts.players.retain(partition, sessions);
      const now = this.parts.clock.now();
      for (const sessionId of sessions) this.#coalescer(partition).mark(sessionId, now);
    } catch {
      this.takenOver(partition);
    }
  }

  /** Takes what is due, as far as there is room, and sets the clock for what is not. */
  #pump(): void {
    if (this.#ended) return;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const coalescer of this.#coalescers.values()) {
      for (const due of coalescer.take(now, Math.max(0, SNAPSHOTS_AT_ONCE_MAX - this.#work.size)))
        this.#begin(this.#publish(coalescer, due));
      next = Math.min(next, coalescer.nextAt() ?? next);
    }
    clearTimeout(this.#timer);
    // With no room left, whatever ends pumps again.
    if (next < Number.POSITIVE_INFINITY && this.#work.size < SNAPSHOTS_AT_ONCE_MAX)
      this.#timer = setTimeout(() => this.#pump(), Math.max(1, next - now));
  }

  #begin(work: Promise<void>): void {
    const noted = work.finally(() => {
      this.#work.delete(noted);
      this.#pump();
    });
    this.#work.add(noted);
  }

  /** Never rejects. */
  async #publish(coalescer: Coalescer, { key: sessionId, since }: Due): Promise<void> {
    const { boards, stream, clock, players, metrics, lifecycle } = this.parts;
    const startedAt = performance.now();
    const origins = this.#origins.get(sessionId);
    if (origins) this.#origins.delete(sessionId);
    const work = { verb: "publish", template: LEADERBOARD_TEMPLATE, startedAt, origins } as const;
    const span = startBusSpan(work);
    let waitMs = 0;
    try {
      const board = await boards.read(sessionId, { kind: "top", size: ROWS_MAX });
      const isLive = typeof board !== "string" && !board.ended;
      players.note(partitionOf(sessionId), sessionId, isLive ? board.joined : 0);
      const published =
        typeof board === "string"
          ? "known"
          : await stream.publish(sessionId, board, { changedSince: since, span });
      if (published === "stored") {
        metrics.snapshots.inc();
        metrics.refreshSeconds.observe((performance.now() - startedAt) / 1_000);
        metrics.publishDelay.observe(Math.max(0, clock.now() - since) / 1_000);
      } else if (published !== "known") {
        // A board that was built again, by a clock that is behind; else whoever overtook this one.
        await boards.raiseEpoch(sessionId, published.epoch);
        coalescer.mark(sessionId, since);
      }
      if (this.#failing) lifecycle.log.info("snapshots are published again");
      this.#failing = false;
      this.#backoffs.delete(sessionId);
      endSpan(span);
    } catch (err) {
      failBusSpan(span, work, err);
      coalescer.mark(sessionId, since);
      waitMs = this.#backoff(sessionId).next();
      if (!this.#failing) lifecycle.log.warn({ err }, "snapshots can't be published");
      this.#failing = true;
    } finally {
      coalescer.done(sessionId, performance.now(), waitMs);
    }
  }

  #backoff(sessionId: string): Backoff {
    let backoff = this.#backoffs.get(sessionId);
    if (!backoff) {
      backoff = new Backoff({ ...RETRY, random: this.parts.random });
      this.#backoffs.set(sessionId, backoff);
    }
    return backoff;
  }

  #coalescer(partition: number): Coalescer {
    let coalescer = this.#coalescers.get(partition);
    if (!coalescer) {
      coalescer = new Coalescer({ everyMs: this.parts.everyMs, holdMaxMs: HOLD_MAX_MS });
      this.#coalescers.set(partition, coalescer);
    }
    return coalescer;
  }

  /** What is on its way is finished; whoever reads the partitions next looks at the rest. */
  async #end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    for (const timer of this.#sweeps.values()) clearTimeout(timer);
    await Promise.all(this.#work);
  }
}
