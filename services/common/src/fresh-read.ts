/**
 * A read that many ask for: at most one runs and one waits, and nobody is given one that began before
 * it asked, as that one may have passed what the caller is after.
 */
export class FreshRead {
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(private readonly read: () => Promise<void>) {}

  /** Resolves once a read is done that began after this call. Fails as that read does. */
  begin(): Promise<void> {
    if (this.#next) return this.#next;
    if (!this.#running) return this.#start();
    const start = () => {
      this.#next = undefined;
      return this.#start();
    };
    this.#next = this.#running.then(start, start);
    return this.#next;
  }

  #start(): Promise<void> {
    const reading = this.read().finally(() => {
      if (this.#running === reading) this.#running = undefined;
    });
    this.#running = reading;
    return reading;
  }
}
