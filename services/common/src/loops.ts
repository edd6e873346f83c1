/** Loops that outlive every fault of their parts, and are missed where they end all the same. */
import { Backoff, type BackoffOptions } from "./backoff.js";
import { type Lifecycle, pause } from "./lifecycle.js";

export interface RepeatOptions {
  /** Between two turns, in ms. */
  everyMs: number;
  /** After turns that failed; as long as between two turns, and at most 30 s, where nothing is said. */
  retry?: BackoffOptions;
}

const RETRY_MAX_MS = 30_000;

/**
 * Does `turn` again and again until the stop, the first time at once; a turn may resolve to the time to
 * wait after it, in ms. One that throws is logged, the first of a row, and tried again after a back-off.
 * Resolves with the stop.
 */
export function repeat(
  name: string,
  turn: () => Promise<unknown>,
  { everyMs, retry = { firstMs: everyMs, maxMs: Math.max(everyMs, RETRY_MAX_MS) } }: RepeatOptions,
  lifecycle: Lifecycle,
): Promise<void> {
  const { log, loops, signal } = lifecycle;
  const backoff = new Backoff(retry);
  const goRound = async () => {
    while (!signal.aborted) {
      let waitMs: number;
      try {
        const asked = await turn();
        waitMs = typeof asked === "number" ? asked : everyMs;
        if (backoff.failures > 0) log.info({ loop: name }, "a loop works again");
        backoff.reset();
      } catch (err) {
        if (signal.aborted) return;
        loops.failed(name);
        if (backoff.failures === 0) log.warn({ err, loop: name }, "a loop failed; it tries again");
        waitMs = backoff.next();
      }
      await pause(waitMs, signal);
    }
  };
  return watchLoop(name, goRound(), lifecycle);
}

/**
 * Follows a loop that may end with the signal only. Resolves when it has ended, in whatever way; before
 * the signal that is a fault that /livez tells, and Kubernetes starts the process again.
 */
export async function watchLoop(
  name: string,
  loop: Promise<unknown>,
  { log, loops, signal: stop }: Lifecycle,
  signal: AbortSignal = stop,
): Promise<void> {
  loops.begun(name);
  let err: unknown;
  try {
    await loop;
  } catch (error) {
    err = error;
  }
  if (signal.aborted || stop.aborted) return;
  loops.hasEnded(name);
  log.fatal({ err, loop: name }, "a loop has ended: this process must be started again");
}
