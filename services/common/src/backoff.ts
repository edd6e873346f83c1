/**
 * Waiting before another try, with full jitter (Brooker, "Exponential Backoff and Jitter", 2015):
 * anywhere between nothing and a bound that doubles with each failure. Those who failed together, as
 * all pods do when a server goes away, do not come back together.
 */

/** As Math.random: at least 0, below 1. */
export type Random = () => number;

export interface BackoffOptions {
  /** The longest wait after the first failure. */
  firstMs: number;
  /** The longest wait ever. */
  maxMs: number;
  random?: Random | undefined;
}

export class Backoff {
  #failures = 0;

  constructor(private readonly options: BackoffOptions) {}

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Notes a failure and says how long to wait, in ms. */
  next(): number {
    const { firstMs, maxMs, random } = this.options;
    return anywhereWithin(Math.min(maxMs, firstMs * 2 ** this.#failures++), random);
  }

  /** It worked: the next failure is the first again. */
  reset(): void {
    this.#failures = 0;
  }
}

/** A wait for what many do at the same moment, as all gateways read their rooms after a reconnect. */
export function anywhereWithin(ms: number, random: Random = Math.random): number {
  return random() * ms;
}
