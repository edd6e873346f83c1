/** Starts again what dies, after a pause that grows while it keeps dying. */
import { pause } from "@fanfare/common/lifecycle";

export const PAUSE_MIN_MS = 500;
export const PAUSE_MAX_MS = 30_000;
/** Whoever lives this long is well again: its next pause is the shortest. */
const WELL_AFTER_MS = 60_000;

export interface Restartable {
  restart(): Promise<void>;
}

/** How long to wait before the next start, after `failures` in a row. */
export function pauseBeforeRestart(failures: number): number {
  return Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** failures);
}

export class Supervisor {
  readonly #failures = new Map<string, { count: number; at: number }>();
  readonly #busy = new Set<string>();
  readonly #stop = new AbortController();

  constructor(
    private readonly find: (name: string) => Restartable | undefined,
    private readonly tell: (line: string) => void,
  ) {}

  /** Tells of the end of `name` and starts it again; returns at once. */
  ended(name: string, why: string): void {
    this.#begin(name, "ended", why);
  }

  /** The same for one that runs, but does not do its work. */
  unwell(name: string, why: string): void {
    this.#begin(name, "does not work", why);
  }

  /** Aborts with `stop`. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Nothing is started from now on. */
  stop(): void {
    this.#stop.abort();
  }

  #begin(name: string, what: string, why: string): void {
    if (this.#stop.signal.aborted || this.#busy.has(name)) return;
    this.#busy.add(name);
    void this.#revive(name, what, why).finally(() => this.#busy.delete(name));
  }

  async #revive(name: string, what: string, why: string): Promise<void> {
    for (let reason = why; ; ) {
      const pauseMs = pauseBeforeRestart(this.#countFailure(name));
      this.tell(`${name} ${what}, starts again in ${pauseMs / 1_000} s: ${reason}`);
      await pause(pauseMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      try {
        await this.find(name)?.restart();
        this.tell(`${name} is back`);
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        reason = error instanceof Error ? error.message : String(error);
      }
    }
  }

  #countFailure(name: string): number {
    const now = performance.now();
    const last = this.#failures.get(name);
    const count = last && now - last.at < WELL_AFTER_MS ? last.count + 1 : 0;
    this.#failures.set(name, { count, at: now });
    return count;
  }
}
