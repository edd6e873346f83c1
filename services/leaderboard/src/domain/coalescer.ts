/**
 * Decides when a session's snapshot is taken: at once for the first change, then at most once per
 * interval, and always once more after the last change. Pure: the clock is passed in, in ms of any
 * origin. Work is done for what is due, never for all that waits.
 */
import { DueQueue } from "./due-queue.js";

export interface CoalescerOptions {
  /** Shortest time between two snapshots of one key. */
  everyMs: number;
  /** Longest time that a hold keeps anything back. */
  holdMaxMs: number;
}

/** A key to be taken now, and the oldest change that waits for it. */
export interface Due {
  key: string;
  since: number;
}

export class Coalescer {
  /** Keys with changes that were not taken, each with its oldest change. */
  readonly #changed = new Map<string, number>();
  /** Those of them that are nobody's now. */
  readonly #queue = new DueQueue();
  /** Until when a key that was taken rests, in the order of taking. */
  readonly #restsUntil = new Map<string, number>();
  readonly #busy = new Set<string>();
  #heldSince: number | undefined;

  constructor(private readonly options: CoalescerOptions) {}

  /**
   * Notes a change; `since` says when it happened, on a clock of the caller's. False where it goes with
   * one that waits already.
   */
  mark(key: string, since: number): boolean {
    const waiting = this.#changed.get(key);
    this.#changed.set(key, Math.min(since, waiting ?? since));
    if (waiting !== undefined) return false;
    if (!this.#busy.has(key)) this.#queue.push(key, this.#dueAt(key));
    return true;
  }

  /** Keeps everything back for a while: what there is to show is only half of it. */
  hold(now: number): void {
    this.#heldSince ??= now;
  }

  release(): void {
    this.#heldSince = undefined;
  }

  /** Up to `max` keys whose time has come. Each is the caller's until it calls `done`. */
  take(now: number, max: number): Due[] {
    const due: Due[] = [];
    if (this.#heldSince !== undefined && now < this.#heldSince + this.options.holdMaxMs) return due;
    while (due.length < max) {
      const key = this.#queue.take(now);
      if (key === undefined) break;
      due.push({ key, since: this.#changed.get(key) ?? 0 });
      this.#changed.delete(key);
      this.#busy.add(key);
      this.#restsUntil.delete(key);
      this.#restsUntil.set(key, now + this.options.everyMs);
    }
    // A held state is shown once, then the hold begins anew.
    if (this.#heldSince !== undefined && this.#changed.size === 0) this.#heldSince = now;
    return due;
  }

  /** The key may be taken again. Whoever failed marks it again before, and says how long to wait. */
  done(key: string, now: number, waitMs = 0): void {
    this.#busy.delete(key);
    if (waitMs > 0) this.#restsUntil.set(key, Math.max(this.#dueAt(key), now + waitMs));
    if (this.#changed.has(key)) this.#queue.push(key, this.#dueAt(key));
    for (const [each, until] of this.#restsUntil) {
      if (now < until) break;
      if (!this.#busy.has(each)) this.#restsUntil.delete(each);
    }
  }

  /** When `take` will have something, if nothing else happens; undefined: not before the next mark. */
  nextAt(): number | undefined {
    const next = this.#queue.nextAt();
    if (next === undefined || this.#heldSince === undefined) return next;
    return Math.max(next, this.#heldSince + this.options.holdMaxMs);
  }

  #dueAt(key: string): number {
    return this.#restsUntil.get(key) ?? Number.NEGATIVE_INFINITY;
  }
}
