/** A spectator at /v1/socket or a watcher at /livescore/<session>: it looks on, and comes back. */
import { RawSocket } from "@fanfare/common/raw-socket";
import { backoffMs } from "../player/backoff.js";
import type { Tally } from "./tally.js";

export interface WatcherOptions {
  url: URL;
  /** First frame; none at /livescore. */
  hello?: string;
  tally: Tally;
  /** Stops reading for this long again and again; 0 for those that don't. */
  slowMs: number;
}

const RECONNECT = { firstMs: 200, maxMs: 5_000 };
/** How long a slow one reads between its pauses. */
const AWAKE_MS = 500;

export class Watcher {
  #socket: RawSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauses: NodeJS.Timeout | undefined;
  #attempt = 0;
  #isDone = false;

  constructor(private readonly options: WatcherOptions) {}

  watch(): void {
    const { url, hello, tally, slowMs } = this.options;
    tally.sockets++;
    const socket = new RawSocket(url, {
      open: () => {
        if (hello) socket.send(hello);
        if (slowMs > 0) this.#fallAsleep(socket);
      },
      text: () => {
        this.#attempt = 0;
        tally.count("liveFrames");
      },
      close: () => {
        tally.sockets--;
        clearTimeout(this.#pauses);
        if (this.#isDone) return;
        if (this.#attempt === 0) tally.count("drops");
        const pauseMs = backoffMs(this.#attempt++, RECONNECT, Math.random);
        this.#timer = setTimeout(() => this.watch(), pauseMs);
      },
    });
    this.#socket = socket;
  }

  end(): void {
    this.#isDone = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#pauses);
    this.#socket?.end();
  }

  #fallAsleep(socket: RawSocket): void {
    this.#pauses = setTimeout(() => {
      socket.pause();
      this.#pauses = setTimeout(() => {
        socket.resume();
        this.#fallAsleep(socket);
      }, this.options.slowMs);
    }, AWAKE_MS);
  }
}
