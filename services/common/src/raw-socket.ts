/**
 * A WebSocket client that costs next to nothing: raw TCP or TLS, text frames with a zero mask, no
 * events. So one process can be thousands of players and leave the other cores to the server.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const HEAD_END = "\r\n\r\n";
const NOTHING = Buffer.alloc(0);
/** The connection was lost without a close frame (RFC 6455, 7.1.5). */
const ABNORMAL = 1006;
const PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

export interface SocketEvents {
  open(): void;
  /** `payload` is good for this call only. */
  text(payload: Buffer): void;
  /** Comes once, also where the server refused to upgrade; 1006 where no close frame came. */
  close(code: number): void;
}

export class RawSocket {
  readonly #socket: Socket;
  #rest: Buffer = NOTHING;
  #upgraded = false;
  #closeCode = ABNORMAL;

  /** `url` is http or https, with the path. */
  constructor(
    url: URL,
    private readonly on: SocketEvents,
  ) {
    const { hostname, protocol, pathname, search } = url;
    const port = Number(url.port) || (PORTS[protocol] ?? 80);
    const host = hostname.replace(/^\[|\]$/g, "");
    this.#socket =
      protocol === "https:"
        ? connectTls({ port, host, servername: host })
        : connect({ port, host, noDelay: true });
    this.#socket.once(protocol === "https:" ? "secureConnect" : "connect", () =>
      this.#socket.write(
        `GET ${pathname}${search} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\n` +
          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
          `Sec-WebSocket-Version: 13${HEAD_END}`,
      ),
    );
    this.#socket.on("data", (data) => this.#take(data));
    this.#socket.on("error", () => {}); // `close` follows and says enough.
    this.#socket.once("close", () => on.close(this.#closeCode));
  }

  send(text: string): void {
    this.#frame(TEXT, Buffer.from(text));
  }

  /** Stops reading, as a phone does whose app sleeps: what comes waits in the kernel, then at the server. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Cuts the connection without a word. */
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
      if (frame.opcode === CLOSE) this.#closed(frame.payload);
    }
    this.#rest = buffer.length === 0 ? NOTHING : buffer;
  }

  #closed(payload: Buffer): void {
    if (payload.length >= 2) this.#closeCode = payload.readUInt16BE(0);
    this.#socket.end();
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
