/**
 * Named rates. A rate's state is one number, the theoretical arrival time of the generic cell rate
 * algorithm (ITU-T I.371), so that each socket pays eight bytes for each limit.
 */

export class RateLimit {
  readonly #intervalMs: number;
  readonly #allowanceMs: number;

  /** `count` events in `perMs`, and up to `burst` at once. */
  constructor(count: number, perMs: number, burst: number) {
    this.#intervalMs = perMs / count;
    this.#allowanceMs = this.#intervalMs * (burst - 1);
  }

  /** The next state where the event may pass now, else undefined. Start with 0. */
  take(state: number, now: number): number | undefined {
    if (this.waitMs(state, now) > 0) return undefined;
    return Math.max(state, now) + this.#intervalMs;
  }

  /** The state without the last event that was taken: it turned out to be none. */
  giveBack(state: number): number {
    return state - this.#intervalMs;
  }

  /** Takes a place behind those who wait, where that is at most `waitMsMax` off; else undefined. */
  reserve(
    state: number,
    now: number,
    waitMsMax: number,
  ): { state: number; waitMs: number } | undefined {
    const waitMs = this.waitMs(state, now);
    if (waitMs > waitMsMax) return undefined;
    return { state: Math.max(state, now) + this.#intervalMs, waitMs };
  }

  /** How long until an event may pass, in ms; 0 is now. */
  waitMs(state: number, now: number): number {
    return Math.max(0, Math.ceil(state - this.#allowanceMs - now));
  }
}

/** A rate for each of many keys (addresses). Keys whose burst is whole again are forgotten. */
export class KeyedRateLimit {
  readonly #states = new Map<string, number>();

  constructor(
    private readonly rate: RateLimit,
    private readonly keysMax = 50_000,
  ) {}

  /** 0 when the event may pass, and is counted; else how long to wait, in ms. */
  take(key: string, now: number): number {
    const state = this.#states.get(key) ?? 0;
    const next = this.rate.take(state, now);
    if (next === undefined) return this.rate.waitMs(state, now);
    this.#states.delete(key);
    this.#states.set(key, next);
    if (this.#states.size > this.keysMax) this.#forget(now);
    return 0;
  }

  /** How long until an event may pass, without counting one. */
  waitMs(key: string, now: number): number {
    return this.rate.waitMs(this.#states.get(key) ?? 0, now);
  }

  /** The last event that was taken for the key was none. */
  giveBack(key: string): void {
    const state = this.#states.get(key);
    if (state !== undefined) this.#states.set(key, this.rate.giveBack(state));
  }

  get size(): number {
    return this.#states.size;
  }

  #forget(now: number): void {
    for (const [key, state] of this.#states) if (state <= now) this.#states.delete(key);
    // Still too many: the longest unused go, oldest first, as take() moves a key to the end.
    for (const key of this.#states.keys()) {
      if (this.#states.size <= this.keysMax) return;
      this.#states.delete(key);
    }
  }
}
