/** What has arrived for a projection and was not taken yet: batches out, and a bound on what comes in. */
import { setImmediate as nextTurn } from "node:timers/promises";

const BATCH_ENTRIES_MAX = 500;
const BATCH_BYTES_MAX = 2 * 1024 * 1024;

/**
 * Until the next whole multiple of `ms` on this process's clock that is half of it away, or more: the readers of
 * all partitions end their gathering in the same turn, so that what they ask of a store travels together.
 */
function untilWindow(ms: number): number {
  const now = performance.now();
  return Math.ceil(now / ms + 0.5) * ms - now;
}

export class Inbox<T> {
  #items: { item: T; bytes: number; urgent: boolean }[] = [];
  #bytes = 0;
  #urgent = 0;
  #ended = false;
  #wakeTaker = () => {};
  #wakeFiller = () => {};
  #wakeGatherer = () => {};

  get ended(): boolean {
    return this.#ended;
  }

  /** `urgent`: somebody waits for it, so that nothing gathers behind it. */
  put(item: T, bytes: number, urgent = false): void {
    this.#items.push({ item, bytes, urgent });
    this.#bytes += bytes;
    if (urgent) this.#urgent++;
    this.#wakeTaker();
    if (urgent || this.isFull) this.#wakeGatherer();
  }

  end(): void {
    this.#ended = true;
    this.#wakeTaker();
    this.#wakeFiller();
    this.#wakeGatherer();
  }

  /** Waits while a whole batch is lying here; false where that takes longer than `ms`, and at the end. */
  async room(ms: number): Promise<boolean> {
    if (this.isFull && !this.#ended)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wakeFiller = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#wakeFiller = () => {};
    return !this.#ended && !this.isFull;
  }

  /** Lets items gather for some `ms` (half of it more or less); not beyond a whole batch, an urgent one, or the end. */
  async gather(ms: number): Promise<void> {
    if (ms === 0 || this.isFull || this.#urgent > 0 || this.#ended) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, untilWindow(ms));
      this.#wakeGatherer = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeGatherer = () => {};
  }

  /** Up to a batch of what is there; waits at most `ms` for the first, which then waits `companyMs` for others. */
  async take(ms: number, companyMs = 0): Promise<T[]> {
    if (this.#items.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wakeTaker = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (this.#items.length > 0) await this.gather(companyMs);
    }
    this.#wakeTaker = () => {};
    // What came with the first, in one piece from the network, is still on its way here.
    await nextTurn();
    let count = 0;
    let size = 0;
    for (const { bytes } of this.#items) {
      if (count === BATCH_ENTRIES_MAX || (count > 0 && size + bytes > BATCH_BYTES_MAX)) break;
      count++;
      size += bytes;
    }
    this.#bytes -= size;
    const taken = this.#items.splice(0, count);
    for (const { urgent } of taken) if (urgent) this.#urgent--;
    if (!this.isFull) this.#wakeFiller();
    return taken.map(({ item }) => item);
  }

  /** A whole batch is lying here. */
  get isFull(): boolean {
    return this.#items.length >= BATCH_ENTRIES_MAX || this.#bytes >= BATCH_BYTES_MAX;
  }
}
