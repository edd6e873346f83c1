/** What has come in, by kind: the last frame of each, and whoever waits for the next. */
import type { ServerFrame } from "@fanfare/proto/gateway/v1/frames";
import type { FrameKind, Frames } from "./frames.js";

const WAIT_LIMIT_MS = 10_000;

export class FrameFeed {
  readonly #last: Partial<Frames> = {};
  readonly #listeners = new Map<FrameKind, Set<(frame: never) => void>>();
  readonly #waiting = new Set<(error: Error) => void>();
  #end: string | undefined;

  /** The last frame of a kind; undefined before the first. */
  last<K extends FrameKind>(kind: K): Frames[K] | undefined {
    return this.#last[kind];
  }

  /** Calls back for every later frame of a kind; the returned function ends that. */
  on<K extends FrameKind>(kind: K, listener: (frame: Frames[K]) => void): () => void {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /**
   * The last frame of a kind if it fits, else the next one that does. Rejects after `limitMs`
   * (10 s where nothing is said) or at the end of the feed, and says what the last one was.
   */
  until<K extends FrameKind>(
    kind: K,
    fits: (frame: Frames[K]) => boolean = () => true,
    limitMs = WAIT_LIMIT_MS,
  ): Promise<Frames[K]> {
    return new Promise<Frames[K]>((resolve, reject) => {
      const last = this.last(kind);
      if (last && fits(last)) return resolve(last);
      const stop = () => {
        clearTimeout(timer);
        off();
        this.#waiting.delete(fail);
      };
      const fail = (why: Error) => {
        stop();
        const seen = JSON.stringify(this.last(kind), bigintAsText) ?? "none came";
        reject(new Error(`no fitting ${kind}: ${why.message}; last: ${seen}`));
      };
      const off = this.on(kind, (frame) => {
        if (!fits(frame)) return;
        stop();
        resolve(frame);
      });
      const timer = setTimeout(() => fail(new Error(`none within ${limitMs} ms`)), limitMs);
      this.#waiting.add(fail);
      if (this.#end) fail(new Error(this.#end));
    });
  }

  /** Takes in one frame. */
  push({ frame }: ServerFrame): void {
    if (frame.case === undefined) return;
    Object.assign(this.#last, { [frame.case]: frame.value });
    for (const listener of this.#listeners.get(frame.case) ?? []) listener(frame.value as never);
  }

  /** No frame will come any more. */
  end(why: string): void {
    this.#end ??= why;
    for (const fail of this.#waiting) fail(new Error(why));
  }
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
