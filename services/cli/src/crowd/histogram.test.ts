import { describe, expect, test } from "vitest";
import { randomStream } from "../simulate/random.js";
import { ERROR_MAX, Histogram } from "./histogram.js";

/** Long-tailed times from 1 µs to minutes, as latencies are. */
function times(seed: number, count: number): number[] {
  const random = randomStream(seed, "times");
  return Array.from({ length: count }, () => 10 ** (random() * 8 - 3));
}

const SHARES = [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1];

function exactly(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

describe("Histogram", () => {
  test("no percentile is understated, or overstated by more than its error bound", () => {
    const values = times(1, 20_000);
    const histogram = new Histogram();
    for (const value of values) histogram.add(value);
    for (const share of SHARES) {
      // Times are kept in whole µs.
      const exact = Math.round(exactly(values, share) * 1_000) / 1_000;
      expect(histogram.at(share)).toBeGreaterThanOrEqual(exact);
      expect(histogram.at(share)).toBeLessThanOrEqual(exact * (1 + ERROR_MAX) + 1e-9);
    }
  });

  test("every whole µs around every power of two is within the bound", () => {
    for (let power = 0; power < 31; power++)
      for (const us of [2 ** power - 1, 2 ** power, 2 ** power + 1].filter((v) => v < 2 ** 31)) {
        const histogram = new Histogram();
        histogram.add(us / 1_000);
        const told = Math.round(histogram.at(1) * 1_000);
        expect(told).toBeGreaterThanOrEqual(us);
        expect(told).toBeLessThanOrEqual(us * (1 + ERROR_MAX));
      }
  });

  test("histograms of several processes merge into what one would have counted", () => {
    const whole = new Histogram();
    const merged = new Histogram();
    for (const seed of [1, 2, 3]) {
      const part = new Histogram();
      for (const value of times(seed, 5_000)) {
        part.add(value);
        whole.add(value);
      }
      merged.merge(part.toCounts());
    }
    expect(merged.count).toBe(15_000);
    expect(merged.toCounts()).toEqual(whole.toCounts());
  });

  test("what is longer than 35 minutes, or negative, is counted at the end of the range", () => {
    const histogram = new Histogram();
    histogram.add(-5);
    histogram.add(1e9);
    expect([histogram.at(0.5), histogram.count]).toEqual([0, 2]);
    expect(histogram.at(1)).toBeCloseTo((2 ** 31 - 1) / 1_000, 3);
  });

  test("an empty one says 0", () => {
    expect(new Histogram().at(0.99)).toBe(0);
  });
});
