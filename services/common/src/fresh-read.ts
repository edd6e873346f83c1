/**
 * A read that many ask for: at most one runs and one waits, and nobody is given one that began before
 * it asked, as that one may have passed what the caller is after.
 */
export class FreshRead<T = void> {
  #running: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(private readonly read: () => Promise<T>) {}

  /** What a read finds that began after this call. Fails as that read does. */
  begin(): Promise<T> {
    if (this.#next) return this.#next;
    if (!this.#running) return this.#start();
    const start = () => {
      this.#next = undefined;
      return this.#start();
    };
    this.#next = this.#running.then(start, start);
    return this.#next;
  }

  #start(): Promise<T> {
    const reading = this.read().finally(() => {
      if (this.#running === reading) this.#running = undefined;
    });
    this.#running = reading;
    return reading;
  }
}
