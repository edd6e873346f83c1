/** Counters that begin at 0. */
import { COUNTS, type Counts } from "./cast-plan.js";

export function noCounts(): Counts {
  return Object.fromEntries(COUNTS.map((name) => [name, 0])) as Counts;
}
