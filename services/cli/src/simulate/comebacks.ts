/** How often players lost their connection, and how soon they were in again. */
import { percentile } from "./percentile.js";

const BIN_MS = 1_000;

export class Comebacks {
  readonly #awayMs: number[] = [];
  readonly #atMs: number[] = [];

  /** `at` and `awayMs` in ms, on one clock. */
  add(at: number, awayMs: number): void {
    this.#atMs.push(at);
    this.#awayMs.push(awayMs);
  }

  get count(): number {
    return this.#awayMs.length;
  }

  /** A percentile of the times away in ms, 0 where nobody was. */
  awayMs(share: number): number {
    return percentile(this.#awayMs, share);
  }

  /** Most comebacks within one second, wherever that second begins. */
  peakPerSecond(): number {
    const times = this.#atMs.toSorted((a, b) => a - b);
    let peak = 0;
    let first = 0;
    for (const [last, at] of times.entries()) {
      while (at - (times[first] ?? at) >= BIN_MS) first++;
      peak = Math.max(peak, last - first + 1);
    }
    return peak;
  }
}
