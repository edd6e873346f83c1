/** How long to wait before trying again: full jitter (Brooker 2015), so that crowds spread out. */

export interface BackoffBounds {
  firstMs: number;
  maxMs: number;
}

/** A time between 0 and the bound of this attempt (from 0), which doubles with each. */
export function backoffMs(attempt: number, bounds: BackoffBounds, random: () => number): number {
  return random() * Math.min(bounds.maxMs, bounds.firstMs * 2 ** Math.min(attempt, 30));
}
