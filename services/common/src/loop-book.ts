/**
 * The loops of a process: work that goes round for as long as it lives. One that has ended although
 * nobody stopped it leaves a process that looks well and does nothing, so /livez fails then.
 */
export class LoopBook {
  readonly #loops = new Map<string, { failures: number; ended: boolean }>();

  /** A loop has begun; several of one name count as one. */
  begun(name: string): void {
    this.#of(name);
  }

  /** A turn of the loop failed; it goes on. */
  failed(name: string): void {
    this.#of(name).failures++;
  }

  /** The loop is over, and nobody has asked for that. */
  hasEnded(name: string): void {
    this.#of(name).ended = true;
  }

  /** Names of the loops that are over. */
  ended(): string[] {
    return [...this.#loops].filter(([, { ended }]) => ended).map(([name]) => name);
  }

  /** For metrics. */
  all(): { name: string; failures: number; ended: boolean }[] {
    return [...this.#loops].map(([name, loop]) => ({ name, ...loop }));
  }

  #of(name: string) {
    let loop = this.#loops.get(name);
    if (!loop) {
      loop = { failures: 0, ended: false };
      this.#loops.set(name, loop);
    }
    return loop;
  }
}
