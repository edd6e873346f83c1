/**
 * One connection to /v1/socket, for any role: typed frames out and in, and the raw text for
 * recorders. It never reconnects; player-socket.ts does.
 */
import type { ServerFrame } from "@fanfare/proto/gateway/v1/frames";
import { WebSocket } from "ws";
import { FrameFeed } from "./frame-feed.js";
import {
  type ClientFrameInit,
  decodeServerFrame,
  encodeClientFrame,
  type FrameKind,
  type Frames,
} from "./frames.js";

export interface FrameSocketOptions {
  /** Sees every frame before anybody else does, with the text as it came. */
  onFrame?: ((frame: ServerFrame, raw: string) => void) | undefined;
  /** How long connecting may take; 10 s where nothing is said. */
  openWithinMs?: number;
}

export interface SocketEnd {
  /** Close code: 4000-4499 mean come back, 4500-4999 mean don't; 1006 is a lost connection. */
  code: number;
  reason: string;
}

const OPEN_LIMIT_MS = 10_000;
/** A server that neither sends nor pings for this long is gone (its heartbeat is shorter). */
const SILENCE_LIMIT_MS = 75_000;

export class FrameSocket {
  readonly #socket: WebSocket;
  readonly #feed = new FrameFeed();
  /** Resolves when the connection has ended, by whomever. */
  readonly closed: Promise<SocketEnd>;

  private constructor(socket: WebSocket, options: FrameSocketOptions) {
    this.#socket = socket;
    const silence = setTimeout(() => socket.terminate(), SILENCE_LIMIT_MS);
    silence.unref();
    socket.on("ping", () => silence.refresh());
    socket.on("message", (bytes) => {
      silence.refresh();
      const raw = String(bytes);
      const frame = decodeServerFrame(raw);
      options.onFrame?.(frame, raw);
      this.#feed.push(frame);
    });
    socket.on("error", () => {}); // `close` follows and says enough.
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => {
        clearTimeout(silence);
        this.#feed.end(`the socket closed (${code})`);
        resolve({ code, reason: String(reason) });
      });
    });
  }

  /** Connects to the gateway at `url` (http or ws). Rejects if that fails; the caller says hello. */
  static open(url: string, options: FrameSocketOptions = {}): Promise<FrameSocket> {
    const socket = new WebSocket(`${url.replace(/^http/, "ws").replace(/\/$/, "")}/v1/socket`, {
      perMessageDeflate: false,
      handshakeTimeout: options.openWithinMs ?? OPEN_LIMIT_MS,
    });
    // Before it opens: the server's first frame may come together with the handshake.
    const opened = new FrameSocket(socket, options);
    return new Promise((resolve, reject) => {
      socket.once("open", () => resolve(opened));
      socket.once("error", reject);
    });
  }

  /** Sends a frame; on a connection that has ended it goes nowhere. */
  send(frame: ClientFrameInit): void {
    this.sendText(encodeClientFrame(frame));
  }

  /** Sends any text, well formed or not. */
  sendText(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** See FrameFeed. */
  last<K extends FrameKind>(kind: K): Frames[K] | undefined {
    return this.#feed.last(kind);
  }

  /** See FrameFeed. */
  on<K extends FrameKind>(kind: K, listener: (frame: Frames[K]) => void): () => void {
    return this.#feed.on(kind, listener);
  }

  /** See FrameFeed. */
  until<K extends FrameKind>(
    kind: K,
    fits?: (frame: Frames[K]) => boolean,
    limitMs?: number,
  ): Promise<Frames[K]> {
    return this.#feed.until(kind, fits, limitMs);
  }

  /** Says goodbye; `closed` resolves when the server has said it too. */
  close(): void {
    this.#socket.close(1000);
  }

  /** Cuts the connection without a word, as a lost network does. */
  terminate(): void {
    this.#socket.terminate();
  }
}
