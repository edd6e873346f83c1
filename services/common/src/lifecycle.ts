/**
 * How a process starts and stops. Whatever is opened is pushed here with the way to close it; at
 * the end all is closed in reverse, each within its limit, so that a stuck part never holds up the
 * rest.
 */
import type { Logger } from "./log.js";

type Close = () => Promise<void> | void;

/** A stack of things to close, last in first out. `AsyncDisposableStack` is not in Node 20. */
export class Lifecycle {
  readonly #stack: { name: string; close: Close }[] = [];
  readonly #abort = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(readonly log: Logger) {}

  /** Aborts when the stop begins: loops finish their batch and return. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  push(name: string, close: Close): void {
    this.#stack.push({ name, close });
  }

  /** Closes everything once; every later call waits for the first. Never throws. */
  close(stepLimitMs = 10_000): Promise<void> {
    this.#closing ??= this.#closeAll(stepLimitMs);
    return this.#closing;
  }

  async #closeAll(stepLimitMs: number): Promise<void> {
    this.#abort.abort();
    for (let part = this.#stack.pop(); part; part = this.#stack.pop()) {
      try {
        await within(stepLimitMs, Promise.resolve(part.close()));
      } catch (err) {
        this.log.warn({ err, part: part.name }, "part did not close cleanly");
      }
    }
  }
}

/** Rejects when `work` takes longer than `limitMs`. */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits, but not longer than until `signal` aborts. Never throws. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}
