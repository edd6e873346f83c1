/** The clock of measurements, and acting by it at times that are fixed ahead. */
import { setTimeout as delay } from "node:timers/promises";

/** Milliseconds on the system's monotonic clock, the same in every process of this machine. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * Open loop: each act at its own time (nowMs), whatever the server does meanwhile. `times` must not
 * fall. `act` is told when it was due, so that whoever measures counts from there.
 */
export async function actAt(
  times: Iterable<number>,
  act: (index: number, due: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  let index = 0;
  for (const due of times) {
    const aheadMs = due - nowMs();
    if (aheadMs > 0) await delay(aheadMs);
    if (signal?.aborted) return;
    act(index++, due);
  }
}
