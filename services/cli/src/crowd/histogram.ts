/**
 * Counts of times in buckets of even relative width, as HDR histograms have them (Tene): a percentile
 * is never understated, and overstated by less than 1/128. Histograms of many processes merge into
 * what one would have counted.
 */

/** Buckets of each power of two. */
const STEPS = 128;
const STEP_BITS = 7;
/** In µs: about 35 minutes. What is longer counts as that. */
const VALUE_MAX = 2 ** 31 - 1;
const US_PER_MS = 1_000;

/** Most that a percentile can be above the value it stands for, as a part of it. */
export const ERROR_MAX = 1 / STEPS;

/** As it travels: [bucket, count] pairs in order, flat. */
export type HistogramCounts = number[];

export class Histogram {
  readonly #counts: number[] = [];
  #count = 0;

  static from(counts: HistogramCounts): Histogram {
    const histogram = new Histogram();
    histogram.merge(counts);
    return histogram;
  }

  get count(): number {
    return this.#count;
  }

  /** Counts one time in ms; less than 0 counts as 0. */
  add(ms: number): void {
    const us = Math.min(VALUE_MAX, Math.max(0, Math.round(ms * US_PER_MS)));
    this.#addTo(bucketOf(us), 1);
  }

  merge(counts: HistogramCounts): void {
    for (let i = 0; i < counts.length; i += 2) this.#addTo(counts[i] ?? 0, counts[i + 1] ?? 0);
  }

  /** The time in ms that `share` (0 to 1) of the counted do not exceed; 0 where nothing was counted. */
  at(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (const [bucket, count] of this.#entries()) {
      seen += count;
      if (seen >= wanted) return upperBoundOf(bucket) / US_PER_MS;
    }
    return 0;
  }

  toCounts(): HistogramCounts {
    return [...this.#entries()].flat();
  }

  #addTo(bucket: number, count: number): void {
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    this.#count += count;
  }

  *#entries(): Generator<[bucket: number, count: number]> {
    for (const [bucket, count] of this.#counts.entries()) if (count) yield [bucket, count];
  }
}

/** Exact below 2 * STEPS; beyond, the leading STEP_BITS + 1 bits decide. */
function bucketOf(us: number): number {
  const shift = Math.max(0, 31 - Math.clz32(us) - STEP_BITS);
  return shift * STEPS + (us >>> shift);
}

function upperBoundOf(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / STEPS) - 1);
  return (bucket - shift * STEPS + 1) * 2 ** shift - 1;
}
