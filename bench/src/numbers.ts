/** Small statistics, waiting, and tables for a terminal. */

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

/** Milliseconds on the system's monotonic clock, the same in every process of this machine. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Polls until `holds`; false after `limitMs`. */
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

export function table(head: string[], rows: (string | number)[][]): string {
  const lines = [head, ...rows].map((row) => row.map(textOf));
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  "),
    )
    .join("\n");
}

function textOf(cell: string | number): string {
  if (typeof cell === "string") return cell;
  if (Number.isNaN(cell)) return "-";
  return String(Math.abs(cell) >= 100 ? Math.round(cell) : Math.round(cell * 100) / 100);
}
