/** A client over a uWebSockets.js socket. The socket may not be touched once it is closed. */
import type { WebSocket } from "uWebSockets.js";
import type { CloseCode } from "../close-codes.js";
import { Client } from "../domain/client.js";
import type { Frame } from "../domain/frame-codec.js";

/** What a socket carries. */
export interface Carried {
  client: UwsClient;
}

export class UwsClient extends Client {
  #socket: WebSocket<Carried> | undefined;
  /** A frame was dropped because too much waited; the socket closes at once. */
  isSlow = false;

  constructor(
    ip: string,
    private readonly onSent: (frame: Frame) => void,
  ) {
    super(ip, performance.now());
  }

  opened(socket: WebSocket<Carried>): void {
    this.#socket = socket;
  }

  /** The socket has closed. */
  left(): void {
    this.#socket = undefined;
    this.closed = true;
    this.room?.leave(this);
    this.room = undefined;
  }

  override send(...frames: Frame[]): void {
    const socket = this.#socket;
    if (!socket) return;
    const [first] = frames;
    if (frames.length === 1 && first) this.#write(first);
    else
      socket.cork(() => {
        for (const frame of frames) this.#write(frame);
      });
  }

  #write(frame: Frame): void {
    if (!this.#socket) return;
    this.#socket.send(frame.text);
    this.onSent(frame);
  }

  override end(code: CloseCode, why: string): void {
    this.#socket?.end(code, why.slice(0, 120));
  }

  override subscribe(topic: string): void {
    this.#socket?.subscribe(topic);
  }

  override waitingBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }
}
