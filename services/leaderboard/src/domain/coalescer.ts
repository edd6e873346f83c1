/**
 * Decides when a session's snapshot is taken: at once for the first change, then at most once per
 * interval, and always once more after the last change. Pure: the clock is passed in, in ms of any
 * origin.
 */

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
  /** When a key was last taken, in that order. */
  readonly #takenAt = new Map<string, number>();
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
    return waiting === undefined;
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
    for (const [key, since] of this.#changed) {
      if (due.length === max) break;
      if (this.#busy.has(key) || now < this.#dueAt(key)) continue;
      this.#changed.delete(key);
      this.#busy.add(key);
      this.#takenAt.delete(key);
      this.#takenAt.set(key, now);
      due.push({ key, since });
    }
    // A held state is shown once, then the hold begins anew.
    if (this.#heldSince !== undefined && this.#changed.size === 0) this.#heldSince = now;
    return due;
  }

  /** The key may be taken again. Whoever failed marks it again before. */
  done(key: string, now: number): void {
    this.#busy.delete(key);
    for (const [each, at] of this.#takenAt) {
      if (now < at + this.options.everyMs) break;
      if (!this.#busy.has(each)) this.#takenAt.delete(each);
    }
  }

  /** When `take` will have something, if nothing else happens; undefined: not before the next mark. */
  nextAt(): number | undefined {
    let next: number | undefined;
    for (const key of this.#changed.keys())
      if (!this.#busy.has(key)) next = Math.min(next ?? Infinity, this.#dueAt(key));
    if (next === undefined || this.#heldSince === undefined) return next;
    return Math.max(next, this.#heldSince + this.options.holdMaxMs);
  }

  #dueAt(key: string): number {
    const takenAt = this.#takenAt.get(key);
    return takenAt === undefined ? Number.NEGATIVE_INFINITY : takenAt + this.options.everyMs;
  }
}
