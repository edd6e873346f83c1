/**
 * A WebSocket client that costs next to nothing: raw TCP, text frames with a zero mask, no events. So
 * one process can be thousands of players and leave the other core to the server.
 */
import { connect, type Socket } from "node:net";

const TEXT = 1;
const PING = 9;
const PONG = 10;
const HEAD_END = "\r\n\r\n";
const NOTHING = Buffer.alloc(0);

export interface SocketEvents {
  open(): void;
  /** `payload` is good for this call only. */
  text(payload: Buffer): void;
  /** Comes once, also where the server refused to upgrade. */
  close(): void;
}

export class RawSocket {
  readonly #socket: Socket;
  #rest: Buffer = NOTHING;
  #upgraded = false;

  constructor(
    port: number,
    path: string,
    private readonly on: SocketEvents,
  ) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.once("connect", () =>
      this.#socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13${HEAD_END}`,
      ),
    );
    this.#socket.on("data", (data) => this.#take(data));
    this.#socket.on("error", () => {}); // `close` follows and says enough.
    this.#socket.once("close", () => on.close());
  }

  send(text: string): void {
    this.#frame(TEXT, Buffer.from(text));
  }

  end(): void {
    this.#socket.destroy();
  }

  #frame(opcode: number, payload: Buffer): void {
    const isShort = payload.length < 126;
    const head = Buffer.alloc(isShort ? 6 : 8);
    head[0] = 0x80 | opcode;
    head[1] = 0x80 | (isShort ? payload.length : 126);
    if (!isShort) head.writeUInt16BE(payload.length, 2);
    this.#socket.write(Buffer.concat([head, payload]));
  }

  #take(data: Buffer): void {
    let buffer = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    if (!this.#upgraded) {
      const end = buffer.indexOf(HEAD_END);
      this.#rest = buffer;
      if (end < 0) return;
      if (!buffer.toString("latin1", 0, 12).endsWith(" 101")) {
        this.end();
        return;
      }
      this.#upgraded = true;
      buffer = buffer.subarray(end + HEAD_END.length);
      this.on.open();
    }
    for (let frame = readFrame(buffer); frame; frame = readFrame(buffer)) {
      buffer = buffer.subarray(frame.end);
      if (frame.opcode === TEXT) this.on.text(frame.payload);
      if (frame.opcode === PING) this.#frame(PONG, frame.payload);
    }
    this.#rest = buffer.length === 0 ? NOTHING : buffer;
  }
}

/** The first frame, once all of it is there. */
function readFrame(buffer: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  if (buffer.length < 2) return undefined;
  const short = (buffer[1] ?? 0) & 127;
  const head = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (buffer.length < head) return undefined;
  let length = short;
  if (short === 126) length = buffer.readUInt16BE(2);
  if (short === 127) length = Number(buffer.readBigUInt64BE(2));
  const end = head + length;
  if (buffer.length < end) return undefined;
  return { opcode: (buffer[0] ?? 0) & 15, payload: buffer.subarray(head, end), end };
}
