/**
 * Points and the tie-break in one number, as sorted sets keep it: `elapsed - points * 2^29`. So an
 * ascending set is in the order of a board: more points, then less time, then id by bytes. Packed
 * scores add up like their parts, exactly while points fit 24 bits and time 29: 53 in all.
 */

/** Total answer times are below this: some 149 hours. */
export const TIME_SPAN_MS = 2 ** 29;

/** Largest total, up or down. A quiz has at most 500 rounds of 20,000 points. */
export const POINTS_TOTAL_MAX = 2 ** 24 - 1;

/** Largest single score, up or down. */
export const SCORE_POINTS_MAX = 1_000_000;

export interface Score {
  points: number;
  elapsedMs: number;
}

/** Whole numbers, |points| up to POINTS_TOTAL_MAX, 0 <= elapsedMs < TIME_SPAN_MS. */
export function pack({ points, elapsedMs }: Score): number {
  return elapsedMs - points * TIME_SPAN_MS;
}

export function unpack(packed: number): Score {
  const negative = Math.floor(packed / TIME_SPAN_MS);
  // 0 - x, as -0 is not what anybody expects to read.
  return { points: 0 - negative, elapsedMs: packed - negative * TIME_SPAN_MS };
}

/** Why a single score is out of bounds; undefined when it is not. */
export function faultOfScore({ points, elapsedMs }: Score): string | undefined {
  if (!Number.isInteger(points) || Math.abs(points) > SCORE_POINTS_MAX)
    return `points are not a whole number from -${SCORE_POINTS_MAX} to ${SCORE_POINTS_MAX}`;
  if (!Number.isInteger(elapsedMs) || elapsedMs < 0 || elapsedMs >= TIME_SPAN_MS)
    return `the answer time is not a whole number of ms below ${TIME_SPAN_MS}`;
  return undefined;
}
