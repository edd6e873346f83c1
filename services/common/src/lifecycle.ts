/**
 * How a process starts and stops. Whatever is opened is pushed here with the way to close it; at
 * the end all is closed in reverse, each within its limit, so that a stuck part never holds up the
 * rest.
 */
import type { Logger } from "./log.js";
import { LoopBook } from "./loop-book.js";

type Close = () => Promise<void> | void;

interface Part {
  name: string;
  close: Close;
  limitMs: number;
}

/** Longest that a part may take to close where it does not say itself. */
const PART_LIMIT_MS = 10_000;

/** A stack of things to close, last in first out. `AsyncDisposableStack` is not in Node 20. */
export class Lifecycle {
  readonly #stack: Part[] = [];
  readonly #abort = new AbortController();
  #closing: Promise<void> | undefined;
  #isClosed = false;
  /** What goes round in this process (loops.ts). */
  readonly loops = new LoopBook();

  constructor(readonly log: Logger) {}

  /** Aborts when the stop begins: loops finish their batch and return. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Notes a part that was opened. `limitMs` is how long its close may take before the next part's
   * turn: a part that others lean on while it drains says a longer one. What comes when all is closed
   * already (a start that was overtaken by the stop) is closed at once.
   */
  push(name: string, close: Close, limitMs = PART_LIMIT_MS): void {
    const part = { name, close, limitMs };
    if (this.#isClosed) void this.#closePart(part, limitMs);
    else this.#stack.push(part);
  }

  /**
   * Closes everything once; every later call waits for the first. Never throws. `stepLimitMs` takes
   * the place of the parts' own limits.
   */
  close(stepLimitMs?: number): Promise<void> {
    this.#closing ??= this.#closeAll(stepLimitMs);
    return this.#closing;
  }

  async #closeAll(stepLimitMs: number | undefined): Promise<void> {
    this.#abort.abort();
    for (let part = this.#stack.pop(); part; part = this.#stack.pop())
      await this.#closePart(part, stepLimitMs ?? part.limitMs);
    this.#isClosed = true;
  }

  async #closePart(part: Part, limitMs: number): Promise<void> {
    try {
      await within(limitMs, Promise.resolve(part.close()));
    } catch (err) {
      this.log.warn({ err, part: part.name }, "part did not close cleanly");
    }
  }
}

/**
 * Rejects when `work` takes longer than `limitMs`. What has come in while this process was too busy to
 * see it is seen first: a late timer says nothing of whoever was asked.
 */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const end = () => reject(new Error(`took longer than ${limitMs} ms`));
    timer = setTimeout(() => setImmediate(end), limitMs);
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
