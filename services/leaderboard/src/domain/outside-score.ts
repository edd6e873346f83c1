/** Scores of outside publishers: a bare decimal such as `20`, `20.0` or `-5`, and nothing else. */
import { SCORE_POINTS_MAX } from "./score-key.js";

const DECIMAL = /^[+-]?\d{1,20}(\.\d{1,20})?$/;
/** A decimal with white space around it is never longer. */
const BYTES_MAX = 64;

/**
 * Points of a payload, rounded to a whole number, halves away from zero. A string says why it is
 * none.
 */
export function readOutsidePoints(data: Uint8Array): number | string {
  const text = data.length <= BYTES_MAX ? Buffer.from(data).toString("latin1").trim() : "";
  if (!DECIMAL.test(text)) return "not a decimal number";
  const value = Number(text);
  const points = Math.sign(value) * Math.round(Math.abs(value)) || 0;
  if (Math.abs(points) > SCORE_POINTS_MAX)
    return `not from -${SCORE_POINTS_MAX} to ${SCORE_POINTS_MAX}`;
  return points;
}
