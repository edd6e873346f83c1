/**
 * A WebSocket client that costs next to nothing: raw TCP, text frames with a zero mask, no events. So
 * one process can be thousands of players and leave the other core to the server.
 */
import { connect, type Socket } from "node:net";

const PING = 9;
const PONG = 10;

export class RawSocket {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #upgraded = false;

  constructor(
    port: number,
    path: string,
    private readonly on: { open(): void; text(payload: Buffer): void; close(): void },
  ) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.once("connect", () =>
      this.#socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
      ),
    );
    this.#socket.on("data", (data) => this.#take(data));
    this.#socket.on("error", () => {});
    this.#socket.once("close", on.close);
  }

  send(text: string): void {
    this.#frame(1, Buffer.from(text));
  }

  end(): void {
    this.#socket.destroy();
  }

  #frame(opcode: number, payload: Buffer): void {
    const head = payload.length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
    head[0] = 0x80 | opcode;
    if (payload.length < 126) head[1] = 0x80 | payload.length;
    else {
      head[1] = 0x80 | 126;
      head.writeUInt16BE(payload.length, 2);
    }
    this.#socket.write(Buffer.concat([head, payload]));
  }

  #take(data: Buffer): void {
    let buffer = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    if (!this.#upgraded) {
      const end = buffer.indexOf("\r\n\r\n");
      if (end < 0) {
        this.#rest = buffer;
        return;
      }
      this.#upgraded = true;
      buffer = buffer.subarray(end + 4);
      this.on.open();
    }
    for (;;) {
      const frame = readFrame(buffer);
      if (!frame) break;
      buffer = buffer.subarray(frame.end);
      if (frame.opcode === 1) this.on.text(frame.payload);
      if (frame.opcode === PING) this.#frame(PONG, frame.payload);
    }
    this.#rest = buffer;
  }
}

function readFrame(buffer: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  if (buffer.length < 2) return undefined;
  const short = (buffer[1] ?? 0) & 127;
  const head = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (buffer.length < head) return undefined;
  const length =
    short === 126
      ? buffer.readUInt16BE(2)
      : short === 127
        ? Number(buffer.readBigUInt64BE(2))
        : short;
  if (buffer.length < head + length) return undefined;
  const end = head + length;
  return { opcode: (buffer[0] ?? 0) & 15, payload: buffer.subarray(head, end), end };
}
