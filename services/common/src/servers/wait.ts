/** Waiting for a condition, always with a limit. */
import { setTimeout as delay } from "node:timers/promises";

const INTERVAL_MIN_MS = 10;
const INTERVAL_MAX_MS = 200;

/** Resolves true once `condition` holds, false if it does not within the limit. */
export async function holdsWithin(
  limitMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  let intervalMs = INTERVAL_MIN_MS;
  while (!(await condition())) {
    if (performance.now() >= deadline) return false;
    await delay(intervalMs);
    intervalMs = Math.min(intervalMs * 1.5, INTERVAL_MAX_MS);
  }
  return true;
}

/** Resolves true if `promise` settles within the limit, else false; leaves no timer behind. */
export async function settlesWithin(limitMs: number, promise: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const settled = promise.then(
    () => true,
    () => true,
  );
  const late = delay(limitMs, false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([settled, late]);
  } finally {
    timer.abort();
  }
}
