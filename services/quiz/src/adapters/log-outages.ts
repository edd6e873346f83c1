/**
 * Times in which the log took nothing. A pod notices by its own publishes and connection, and then looks
 * into the log: what others could store meanwhile shows that only this pod was cut off.
 */
import type { Bus } from "@fanfare/common/bus";
import type { Clock } from "@fanfare/common/bus-clock";
import { unavailable } from "@fanfare/common/errors";
import { STREAMS } from "@fanfare/proto/addresses";
import { OUTAGE_MIN_MS, type Outage } from "../domain/outage.js";
import type { LogHealth } from "../domain/ports.js";

/** Entries that are looked at: more of them are no outage. */
const ENTRIES_MAX = 64;

export class LogOutages implements LogHealth {
  #last: Outage | undefined;
  #noting: Promise<void> = Promise.resolve();
  readonly #listeners = new Set<(outage: Outage) => void>();

  constructor(
    private readonly bus: Pick<Bus, "storage" | "jsm">,
    clock: Clock,
  ) {
    bus.storage.onOutage(({ beganAt, endedAt }) => {
      const sinceMs = clock.now() - performance.now();
      const outage = { fromMs: beganAt + sinceMs, toMs: endedAt + sinceMs };
      if (endedAt - beganAt >= OUTAGE_MIN_MS) this.#noting = this.#note(outage);
    });
  }

  get last(): Outage | undefined {
    return this.#last;
  }

  /** Resolves where the log takes entries, with what is over noted. Throws UNAVAILABLE. */
  async ensure(): Promise<void> {
    if (!(await this.bus.storage.takesEntries())) throw unavailable("the log");
    await this.#noting;
  }

  onOver(listener: (outage: Outage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Never rejects. */
  async #note(measured: Outage): Promise<void> {
    const outage = await this.#longestSilence(measured).catch(() => measured);
    if (outage.toMs - outage.fromMs < OUTAGE_MIN_MS) return;
    this.#last = outage;
    for (const listener of this.#listeners) listener(outage);
  }

  /** The longest time within it in which nobody stored anything. */
  async #longestSilence({ fromMs, toMs }: Outage): Promise<Outage> {
    const asked = { start_time: new Date(fromMs), batch: ENTRIES_MAX };
    const times = [fromMs];
    for await (const { time } of await this.bus.jsm.direct.getBatch(STREAMS.log, asked))
      times.push(Math.min(time.getTime(), toMs));
    if (times.length <= ENTRIES_MAX) times.push(toMs);
    let longest = { fromMs, toMs: fromMs };
    for (const [i, to] of times.entries()) {
      const from = times[i - 1] ?? to;
      if (to - from > longest.toMs - longest.fromMs) longest = { fromMs: from, toMs: to };
    }
    return longest;
  }
}
