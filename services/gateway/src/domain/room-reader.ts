/** Reads a room's record and board: at first, after a break, and whenever news seem to be missing. */
import type { RoomSource } from "./ports.js";

/** A read that has not succeeded by then is tried again. */
const AGAIN_AFTER_MS = 1_500;

export class RoomReader {
  #source: RoomSource | undefined;
  #reading: Promise<void> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  /** A read has begun and not succeeded since: what is known may be old. */
  #mustRead = true;
  /** A read has succeeded once. */
  hasRead = false;

  follow(source: RoomSource): void {
    this.#source = source;
  }

  /** Reads now, or joins a read that is on its way. Fails with UNAVAILABLE. */
  read(): Promise<void> {
    this.#readAt = performance.now();
    this.#mustRead = true;
    this.#reading ??= (this.#source?.read() ?? Promise.resolve())
      .then(() => {
        this.hasRead = true;
        this.#mustRead = false;
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
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
