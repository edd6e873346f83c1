/**
 * Waits for a round to be final in a board: woken at once in the pod that reads the session's log,
 * by looking again and again in the others.
 */
import { pause } from "@fanfare/common/lifecycle";
import type { FinalRounds } from "../domain/ports.js";
import type { LiveBoards } from "./rank-cache.js";

const LOOK_EVERY_MS = 30;
const WAIT_MAX_MS = 2_000;

export class RoundWatch implements FinalRounds {
  readonly #waiting = new Map<string, Set<AbortController>>();

  constructor(private readonly boards: Pick<LiveBoards, "state">) {}

  async wait(sessionId: string, round: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + WAIT_MAX_MS;
    while (!signal.aborted && performance.now() < deadline) {
      // Listening begins before the look, so that nothing falls between.
      const woken = this.#listen(sessionId);
      try {
        // No board is no end of the wait: it may be on its way, in an emptied Redis.
        const state = await this.boards.state(sessionId).catch(() => undefined);
        if (state && state.finalRound >= round) return;
        await pause(LOOK_EVERY_MS, woken.signal);
      } finally {
        this.#stopListening(sessionId, woken);
      }
    }
  }

  /** A round of each of these sessions has been closed here. */
  closed(sessionIds: readonly string[]): void {
    for (const sessionId of sessionIds)
      for (const waiting of this.#waiting.get(sessionId) ?? []) waiting.abort();
  }

  #listen(sessionId: string): AbortController {
    const woken = new AbortController();
    const waiting = this.#waiting.get(sessionId) ?? new Set();
    this.#waiting.set(sessionId, waiting.add(woken));
    return woken;
  }

  #stopListening(sessionId: string, woken: AbortController): void {
    const waiting = this.#waiting.get(sessionId);
    waiting?.delete(woken);
    if (waiting?.size === 0) this.#waiting.delete(sessionId);
  }
}
