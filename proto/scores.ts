/**
 * What counts as a score in the log. Every projection reads by these rules, so that all of them count
 * the same entries (P4).
 */
import { isToken } from "./addresses.js";

/** Largest single score, up or down. */
export const SCORE_POINTS_MAX = 1_000_000;

/** Answer times, and totals of them, are below this: some 149 hours, 29 bits of milliseconds. */
export const TIME_SPAN_MS = 2 ** 29;

const DECIMAL = /^[+-]?\d{1,20}(\.\d{1,20})?$/;
/** A decimal with white space around it is never longer. */
const DECIMAL_BYTES_MAX = 64;

/**
 * Points of an outside publisher's payload: a bare decimal such as `20`, `20.0` or `-5`, rounded to a
 * whole number, halves away from zero. A string says why it is none.
 */
export function readOutsidePoints(data: Uint8Array): number | string {
  const text = data.length <= DECIMAL_BYTES_MAX ? Buffer.from(data).toString("latin1").trim() : "";
  if (!DECIMAL.test(text)) return "not a decimal number";
  const value = Number(text);
  const points = Math.sign(value) * Math.round(Math.abs(value)) || 0;
  return Math.abs(points) > SCORE_POINTS_MAX
    ? `not from -${SCORE_POINTS_MAX} to ${SCORE_POINTS_MAX}`
    : points;
}

/** Why a score of an answer entry does not count; undefined where it does. */
export function faultOfScore(score: {
  playerId: string;
  points: number;
  elapsedMs: number;
}): string | undefined {
  const { playerId, points, elapsedMs } = score;
  if (!isToken(playerId)) return "the player id is not a token";
  if (!Number.isInteger(points) || Math.abs(points) > SCORE_POINTS_MAX)
    return `points are not a whole number from -${SCORE_POINTS_MAX} to ${SCORE_POINTS_MAX}`;
  if (!Number.isInteger(elapsedMs) || elapsedMs < 0 || elapsedMs >= TIME_SPAN_MS)
    return `the answer time is not a whole number of ms below ${TIME_SPAN_MS}`;
  return undefined;
}
