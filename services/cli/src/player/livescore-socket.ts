/**
 * A watcher of /livescore/<session>: every frame is the board as a JSON array. Comes back after a
 * lost connection until it is closed.
 */
import { pause } from "@fanfare/common/lifecycle";
import { WebSocket } from "ws";
import { backoffMs } from "./backoff.js";

/** A row as that path has always sent it. */
export interface LivescoreRow {
  PlayerID: string;
  Score: number;
  Rank: number;
}

export interface LivescoreOptions {
  /** Gateways, as http or ws URLs; after a failure the next is tried. */
  urls: readonly string[];
  sessionId: string;
  /** Rows wanted, 1 to 1,000; the server's own choice where nothing is said. */
  limit?: number;
  /** Sees every frame as it came. */
  onFrame?: (rows: readonly LivescoreRow[], raw: string) => void;
}

const RECONNECT = { firstMs: 100, maxMs: 2_000 };
const WAIT_LIMIT_MS = 10_000;

export class LivescoreSocket {
  #rows: readonly LivescoreRow[] | undefined;
  #socket: WebSocket | undefined;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();

  constructor(private readonly options: LivescoreOptions) {
    void this.#live();
  }

  /** The last board; undefined before the first frame. */
  get rows(): readonly LivescoreRow[] | undefined {
    return this.#rows;
  }

  /** Resolves with true once the board fits, with false if it does not within the limit (10 s). */
  until(
    fits: (rows: readonly LivescoreRow[]) => boolean,
    limitMs = WAIT_LIMIT_MS,
  ): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (result: boolean) => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve(result);
      };
      const look = () => {
        if (this.#rows && fits(this.#rows)) done(true);
      };
      const timer = setTimeout(() => done(false), limitMs);
      this.#listeners.add(look);
      look();
    });
  }

  close(): void {
    this.#abort.abort();
    this.#socket?.terminate();
  }

  async #live(): Promise<void> {
    const { urls, sessionId, limit } = this.options;
    for (let attempt = 0; !this.#abort.signal.aborted; attempt++) {
      const base = (urls[attempt % urls.length] ?? "").replace(/^http/, "ws").replace(/\/$/, "");
      const query = limit === undefined ? "" : `?limit=${limit}`;
      await this.#watch(`${base}/livescore/${sessionId}${query}`);
      await pause(backoffMs(attempt, RECONNECT, Math.random), this.#abort.signal);
    }
  }

  /** One connection; resolves at its end, however it ends. */
  #watch(url: string): Promise<void> {
    return new Promise((resolve) => {
      const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: 5_000 });
      this.#socket = socket;
      socket.on("message", (bytes) => {
        const raw = String(bytes);
        this.#rows = JSON.parse(raw) as LivescoreRow[];
        this.options.onFrame?.(this.#rows, raw);
        for (const listener of this.#listeners) listener();
      });
      socket.on("error", () => {}); // `close` follows.
      socket.once("close", () => resolve());
    });
  }
}
