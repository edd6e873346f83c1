/**
 * Lanes of rounds that are over: forgotten when the next round comes, and read again for answers that
 * ask late. A closed lane never changes, so it is read once for all who ask; how many are read in a
 * second, and how much of them is kept, is limited for the whole pod.
 */
import type { AnswerFold } from "../domain/answer-fold.js";

export interface PastLane {
  readonly fold: AnswerFold;
  refresh(): Promise<void>;
}

export interface PastLimits {
  /** Lanes that are read in a second, and at once. */
  lanesPerSecondMax: number;
  /** Answers in all lanes that are kept. */
  answersMax: number;
}

export interface PastCounters {
  pastLimitHit(limit: "PAST_LANES_PER_SECOND_MAX" | "PAST_ANSWERS_MAX"): void;
}

export class PastLanes<Lane extends PastLane> {
  /** In the order of last use. */
  readonly #kept = new Map<string, Lane>();
  readonly #reading = new Map<string, Promise<Lane>>();
  #allowed: number;
  #allowedAt: number;

  constructor(
    private readonly limits: PastLimits,
    private readonly counters: PastCounters,
    private readonly now = () => performance.now(),
  ) {
    this.#allowed = limits.lanesPerSecondMax;
    this.#allowedAt = now();
  }

  /** The lane, read to its end; undefined where too many were asked for. Fails as its reading does. */
  async get(key: string, make: () => Lane): Promise<Lane | undefined> {
    const kept = this.#kept.get(key);
    if (kept?.fold.closed) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept;
    }
    const reading = this.#reading.get(key);
    if (reading) return reading;
    if (!this.#mayRead()) {
      this.counters.pastLimitHit("PAST_LANES_PER_SECOND_MAX");
      return undefined;
    }
    const begun = this.#read(key, make());
    this.#reading.set(key, begun);
    begun.finally(() => this.#reading.delete(key)).catch(() => {});
    return begun;
  }

  async #read(key: string, lane: Lane): Promise<Lane> {
    await lane.refresh();
    if (lane.fold.closed) this.#keep(key, lane);
    return lane;
  }

  #keep(key: string, lane: Lane): void {
    this.#kept.set(key, lane);
    let answers = 0;
    for (const { fold } of this.#kept.values()) answers += fold.size + 1;
    for (const [oldest, { fold }] of this.#kept) {
      if (answers <= this.limits.answersMax || oldest === key) return;
      answers -= fold.size + 1;
      this.#kept.delete(oldest);
      this.counters.pastLimitHit("PAST_ANSWERS_MAX");
    }
  }

  #mayRead(): boolean {
    const now = this.now();
    const { lanesPerSecondMax: max } = this.limits;
    this.#allowed = Math.min(max, this.#allowed + ((now - this.#allowedAt) * max) / 1_000);
    this.#allowedAt = now;
    if (this.#allowed < 1) return false;
    this.#allowed--;
    return true;
  }
}
