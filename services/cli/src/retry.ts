/** Sends a request again while that can help: for calls that are safe to repeat. */
import { setTimeout as delay } from "node:timers/promises";
import { ServiceError } from "@fanfare/common/errors";
import { backoffMs } from "./player/backoff.js";

const LIMIT_MS = 60_000;
const BACKOFF = { firstMs: 100, maxMs: 2_000 };

/** Resolves with the first success; throws what can't be helped, or what was last said within the limit. */
export async function untilDone<T>(call: () => Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ServiceError) || !error.retryable) throw error;
      const pauseMs = (error.retryAfterMs ?? 0) + backoffMs(attempt, BACKOFF, Math.random);
      if (performance.now() + pauseMs > deadline) throw error;
      await delay(pauseMs);
    }
  }
}
