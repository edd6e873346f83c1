/**
 * Faults that many calls meet at once while a part is away: the first is logged, and the end with the
 * count of all. One line for each of thousands of calls would hide everything else.
 */
import type { Lifecycle } from "./lifecycle.js";

/** Without another fault for so long an outage is over. */
const QUIET_MS = 5_000;
const LOOK_EVERY_MS = 1_000;

interface Outage {
  beganAt: number;
  lastAt: number;
  faults: number;
}

export class OutageLog {
  /** By what failed: a text from a small set. */
  readonly #outages = new Map<string, Outage>();
  #look: NodeJS.Timeout | undefined;

  constructor(
    private readonly lifecycle: Pick<Lifecycle, "log" | "push">,
    private readonly now: () => number = () => performance.now(),
  ) {
    lifecycle.push("outage log", () => this.#tellOver(Number.POSITIVE_INFINITY));
  }

  /** Notes a fault; `what` is logged with it where it is the first of an outage. */
  onFault(err: unknown, what: string): void {
    const now = this.now();
    const outage = this.#outages.get(what);
    if (outage) {
      outage.faults++;
      outage.lastAt = now;
      return;
    }
    this.lifecycle.log.warn({ err }, what);
    this.#outages.set(what, { beganAt: now, lastAt: now, faults: 1 });
    this.#look ??= setInterval(() => this.#tellOver(this.now()), LOOK_EVERY_MS).unref();
  }

  #tellOver(now: number): void {
    for (const [what, { beganAt, lastAt, faults }] of this.#outages) {
      if (now - lastAt < QUIET_MS) continue;
      this.#outages.delete(what);
      const seconds = Math.round((lastAt - beganAt) / 100) / 10;
      if (faults > 1) this.lifecycle.log.info({ what, faults, seconds }, "an outage is over");
    }
    if (this.#outages.size > 0) return;
    clearInterval(this.#look);
    this.#look = undefined;
  }
}
