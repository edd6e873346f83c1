/**
 * Points and the tie-break in one number, as sorted sets keep it: `elapsed - points * 2^29`. So an
 * ascending set is in the order of a board: more points, then less time, then id by bytes. Packed
 * scores add up like their parts, exactly while points fit 24 bits and time 29: 53 in all. Beyond that
 * points stay exact and the time is rounded.
 */
import { TIME_SPAN_MS } from "@fanfare/proto/scores";

export interface Score {
  points: number;
  elapsedMs: number;
}

/** Whole numbers, 0 <= elapsedMs < TIME_SPAN_MS. */
export function pack({ points, elapsedMs }: Score): number {
  return elapsedMs - points * TIME_SPAN_MS;
}

export function unpack(packed: number): Score {
  const negative = Math.floor(packed / TIME_SPAN_MS);
  // 0 - x, as -0 is not what anybody expects to read.
  return { points: 0 - negative, elapsedMs: packed - negative * TIME_SPAN_MS };
}
