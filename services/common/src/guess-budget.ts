/**
 * How often PINs may be guessed (docs/adr/0017). A guess is reserved before anybody looks the PIN up, so
 * that many at once are as few as one after the other, and given back where the PIN was right: only
 * those that led nowhere are spent.
 */
import { whole } from "./config.js";
import { KeyedRateLimit, RateLimit } from "./rate-limit.js";

/** Settings of whatever takes PINs. */
export const guessLimits = {
  /** PINs that lead nowhere, of one token, or of one name from one address prefix. */
  PINS_PER_MINUTE_PER_CALLER: whole(10, 1, 100_000),
  /** PINs that lead nowhere, from one address prefix: /24 of IPv4, /64 of IPv6. */
  PINS_PER_MINUTE_PER_IP: whole(60, 1, 100_000),
  /** PINs that lead nowhere, of all at this process; who is beyond it waits, for up to 3 s. */
  PINS_PER_MINUTE: whole(1_200, 1, 1_000_000),
} as const;

export type GuessLimit = keyof typeof guessLimits;

const SPACE_WAIT_MS_MAX = 3_000;
const MINUTE_MS = 60_000;

export type Guess =
  /** Wait so long, then look the PIN up. */
  | { kind: "reserved"; waitMs: number; giveBack(): void }
  /** Not even look it up: a limit is spent. */
  | { kind: "spent"; limit: GuessLimit; waitMs: number };

export class GuessBudget {
  readonly #byCaller: KeyedRateLimit;
  readonly #byPrefix: KeyedRateLimit;
  readonly #space: RateLimit;
  #spaceState = 0;

  constructor(limits: Readonly<Record<GuessLimit, number>>) {
    const perMinute = (count: number) => new RateLimit(count, MINUTE_MS, count);
    this.#byCaller = new KeyedRateLimit(perMinute(limits.PINS_PER_MINUTE_PER_CALLER));
    this.#byPrefix = new KeyedRateLimit(perMinute(limits.PINS_PER_MINUTE_PER_IP));
    this.#space = perMinute(limits.PINS_PER_MINUTE);
  }

  /** The caller's own share goes first: who has spent it takes nothing from its neighbours. */
  reserve({ caller, prefix }: { caller: string; prefix: string }, now: number): Guess {
    const callerWaits = this.#byCaller.take(caller, now);
    if (callerWaits > 0)
      return { kind: "spent", limit: "PINS_PER_MINUTE_PER_CALLER", waitMs: callerWaits };
    const prefixWaits = this.#byPrefix.take(prefix, now);
    if (prefixWaits > 0) {
      this.#byCaller.giveBack(caller);
      return { kind: "spent", limit: "PINS_PER_MINUTE_PER_IP", waitMs: prefixWaits };
    }
    const place = this.#space.reserve(this.#spaceState, now, SPACE_WAIT_MS_MAX);
    if (!place) {
      this.#byCaller.giveBack(caller);
      this.#byPrefix.giveBack(prefix);
      return { kind: "spent", limit: "PINS_PER_MINUTE", waitMs: SPACE_WAIT_MS_MAX };
    }
    this.#spaceState = place.state;
    return {
      kind: "reserved",
      waitMs: place.waitMs,
      giveBack: () => this.#giveBack(caller, prefix),
    };
  }

  #giveBack(caller: string, prefix: string): void {
    this.#byCaller.giveBack(caller);
    this.#byPrefix.giveBack(prefix);
    this.#spaceState = this.#space.giveBack(this.#spaceState);
  }
}
