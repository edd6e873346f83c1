/** Reads a room's record and board: at first, after a break, and whenever news seem to be missing. */
import { FreshRead } from "@fanfare/common/fresh-read";
import type { RoomSource } from "./ports.js";

/** A read that has not succeeded by then is tried again. */
const AGAIN_AFTER_MS = 1_500;

export class RoomReader {
  #source: RoomSource | undefined;
  #first: Promise<void> | undefined;
  readonly #reads = new FreshRead(() => this.#source?.read() ?? Promise.resolve());
  #readAt = Number.NEGATIVE_INFINITY;
  /** A read has begun and not succeeded since: what is known may be old. */
  #mustRead = true;
  /** A read has succeeded once. */
  hasRead = false;

  follow(source: RoomSource): void {
    this.#source = source;
  }

  /** Resolves once a read has succeeded; what changes later is heard of. Fails with UNAVAILABLE. */
  ready(): Promise<void> {
    if (this.hasRead) return Promise.resolve();
    this.#first ??= this.read().finally(() => {
      this.#first = undefined;
    });
    return this.#first;
  }

  /** Resolves once a read that began after this call is done. Fails with UNAVAILABLE. */
  read(): Promise<void> {
    this.#readAt = performance.now();
    this.#mustRead = true;
    return this.#reads.begin().then(() => {
      this.hasRead = true;
      this.#mustRead = false;
    });
  }

  /** Whether to read now: a read has failed, or `seemsOld` says that news are missing. */
  isDue(now: number, seemsOld: boolean): boolean {
    return (this.#mustRead || seemsOld) && now - this.#readAt >= AGAIN_AFTER_MS;
  }

  close(): void {
    this.#source?.close();
    this.#source = undefined;
  }
}
