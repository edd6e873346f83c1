/** Group commit: what arrives within a few milliseconds for one key travels together. */

export class Batcher<T> {
  readonly #open = new Map<string, { items: T[]; timer: NodeJS.Timeout }>();

  /** `flush` gets what was gathered after `delayMs`, or at once when it has `sizeMax` items. */
  constructor(
    private readonly delayMs: number,
    private readonly sizeMax: number,
    private readonly flush: (items: T[]) => void,
  ) {}

  add(key: string, item: T): void {
    let batch = this.#open.get(key);
    if (!batch) {
      batch = { items: [], timer: setTimeout(() => this.#send(key), this.delayMs) };
      this.#open.set(key, batch);
    }
    batch.items.push(item);
    if (batch.items.length >= this.sizeMax) this.#send(key);
  }

  #send(key: string): void {
    const batch = this.#open.get(key);
    if (!batch) return;
    this.#open.delete(key);
    clearTimeout(batch.timer);
    this.flush(batch.items);
  }
}
