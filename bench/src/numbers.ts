/** Small statistics, waiting, and doing some things at a time. */
import { nowMs } from "@fanfare/cli/crowd/clock";

export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Of an even count the mean of both in the middle: percentile() would take the higher. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}

export const sum = (values: Iterable<number>) => [...values].reduce((all, each) => all + each, 0);

/** The table's and the report's view of many times, in ms. */
export function timesOf(values: readonly number[]) {
  return {
    p50Ms: percentile(values, 0.5),
    p99Ms: percentile(values, 0.99),
    maxMs: percentile(values, 1),
  };
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Polls until `holds`, evenly, as what is timed by it must be; false after `limitMs`. */
export async function holdsWithin(
  limitMs: number,
  holds: () => Promise<boolean> | boolean,
  everyMs = 10,
): Promise<boolean> {
  const limit = nowMs() + limitMs;
  while (!(await holds())) {
    if (nowMs() > limit) return false;
    await sleep(everyMs);
  }
  return true;
}

/** Acts on each, so many at a time, begun in their order. */
export async function forEach<T>(
  list: Iterable<T>,
  atOnce: number,
  act: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = list[Symbol.iterator]();
  const worker = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
