/** What a process says of itself: to probes over HTTP and to gRPC health, from one place. */

export class Health {
  #started = false;
  #draining = false;
  readonly #connections = new Map<string, () => boolean>();
  readonly #watched: (() => string | undefined)[] = [];
  readonly #listeners = new Set<() => void>();

  /** A connection without which this process can't do its work. */
  require(name: string, connected: () => boolean): void {
    this.#connections.set(name, connected);
  }

  /** Something that says what is wrong with it, or nothing. */
  watch(fault: () => string | undefined): void {
    this.#watched.push(fault);
  }

  started(): void {
    this.#started = true;
    this.#tell();
  }

  draining(): void {
    this.#draining = true;
    this.#tell();
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** Why no work should come here now; empty when it should. */
  faults(): string[] {
    if (!this.#started) return ["starting"];
    if (this.#draining) return ["draining"];
    const away = [...this.#connections]
      .filter(([, connected]) => !connected())
      .map(([name]) => `${name} is not connected`);
    return [...away, ...this.#watched.flatMap((fault) => fault() ?? [])];
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
