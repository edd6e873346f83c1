/**
 * The socket that the driver gets: one that is lost says so as an error, to whatever is asked over it
 * now or later, and never as a close. (postgres-pool.ts says what the driver does after a close.)
 * It also ends a connection over which an answer has been awaited for too long: after a cut of the
 * network, TCP itself would go on for minutes.
 */
import { EventEmitter } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Ssl } from "./postgres-tls.js";

export interface Place {
  host: string;
  port: number;
  /** A Unix socket, instead of host and port. */
  path?: string | undefined;
}

/** Longest until a connection stands, TLS included. */
export const CONNECT_WITHIN_MS = 3_000;
const KEEP_ALIVE_AFTER_MS = 5_000;

/** An error of the driver's own kind, so that callers see one kind whoever noticed. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
  constructor(
    readonly code: "CONNECTION_CLOSED" | "CONNECTION_SILENT" | "CONNECT_TIMEOUT",
    { host, port, path }: Place,
    cause?: unknown,
  ) {
    super(`PostgreSQL at ${path ?? `${host}:${port}`}: ${code}`, { cause });
  }
}

/** Rejects where no connection stands within the limit, or TLS is refused. */
export async function dialPostgres(place: Place, ssl: Ssl): Promise<Socket> {
  const socket = place.path ? connect(place.path) : connect(place.port, place.host);
  const timer = setTimeout(
    () => socket.destroy(new ConnectionError("CONNECT_TIMEOUT", place)),
    CONNECT_WITHIN_MS,
  );
  try {
    await happens(socket, "connect", place);
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
    return ssl ? await secured(socket, place, ssl) : socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** SSLRequest, and TLS where the server takes it. */
async function secured(socket: Socket, place: Place, ssl: Exclude<Ssl, false>): Promise<Socket> {
  const request = Buffer.alloc(8);
  request.writeInt32BE(8);
  request.writeInt32BE(80_877_103, 4);
  socket.write(request);
  const answer = (await happens(socket, "data", place)) as Buffer;
  socket.pause();
  if (answer.toString() !== "S") {
    if (ssl === "prefer" && answer.toString() === "N") return socket;
    throw new Error("PostgreSQL does not speak TLS, which sslmode asks for");
  }
  const options = ssl === "prefer" ? { rejectUnauthorized: false } : ssl;
  const servername = isIP(place.host) ? {} : { servername: place.host };
  const secure = connectTls({ socket, ...servername, ...options });
  await happens(secure, "secureConnect", place);
  return secure;
}

function happens(socket: Socket, event: string, place: Place): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      socket.off(event, done).off("error", failed).off("close", closed);
      // What still fails afterwards is told by the close.
      socket.on("error", () => {});
      settle();
    };
    const done = (value?: unknown) => end(() => resolve(value));
    const failed = (error: Error) => end(() => reject(error));
    const closed = () => end(() => reject(new ConnectionError("CONNECTION_CLOSED", place)));
    socket.once(event, done).once("error", failed).once("close", closed);
  });
}

/** What a server's answer ends with: ReadyForQuery, or the end of a cursor's rows (PortalSuspended). */
const READY = Buffer.from([0x5a, 0, 0, 0, 5]);
const SUSPENDED = Buffer.from([0x73, 0, 0, 0, 4]);
const TAIL_BYTES = READY.length + 1;

/** As much of a `net.Socket` as the driver uses. Emits data, drain, error; close only where asked to end. */
export class PostgresSocket extends EventEmitter {
  #lost: Error | undefined;
  #asked = false;
  #tail: Buffer = Buffer.alloc(0);
  #silence: NodeJS.Timeout | undefined;

  constructor(
    private readonly inner: Socket,
    private readonly place: Place,
    private readonly limits: {
      /** Longest wait for the next bytes of an answer; 0 for no limit. */
      silenceMs: () => number;
      onSilence: () => void;
      /** Called when no more can be asked over it, with the error where that was not asked for. */
      onLost: (error?: Error) => void;
      /** Whether the driver is told too. */
      isDriverTold: () => boolean;
    },
  ) {
    super();
    inner.on("data", (bytes) => this.#receive(bytes));
    inner.on("drain", () => this.emit("drain"));
    inner.on("error", (error) => this.#lose(error));
    inner.on("close", () => {
      this.#lose();
      if (this.#asked) this.emit("close", false);
    });
    inner.resume();
    if (inner.destroyed) this.#lose();
  }

  get readyState(): string {
    return this.#lost ? "closed" : this.inner.readyState;
  }

  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean {
    if (this.#lost) this.#refuse();
    else if (!this.#asked) {
      this.#await();
      return done ? this.inner.write(bytes, done) : this.inner.write(bytes);
    }
    return true;
  }

  end(bytes?: Uint8Array): void {
    this.#asked = true;
    this.limits.onLost();
    clearTimeout(this.#silence);
    if (bytes) this.inner.end(bytes);
    else this.inner.end();
  }

  destroy(error?: Error): void {
    this.#lose(error);
    this.inner.destroy();
  }

  pause(): void {
    this.inner.pause();
  }

  resume(): void {
    this.inner.resume();
  }

  #receive(bytes: Buffer): void {
    this.#tail = Buffer.concat([this.#tail, bytes.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
    const ended =
      this.#tail.subarray(0, READY.length).equals(READY) ||
      this.#tail.subarray(-SUSPENDED.length).equals(SUSPENDED);
    clearTimeout(this.#silence);
    this.#silence = undefined;
    if (!ended) this.#await();
    this.emit("data", bytes);
  }

  #await(): void {
    const limitMs = this.limits.silenceMs();
    if (limitMs === 0 || this.#silence) return;
    this.#silence = setTimeout(() => {
      this.limits.onSilence();
      this.destroy(new ConnectionError("CONNECTION_SILENT", this.place));
    }, limitMs);
    this.#silence.unref();
  }

  #lose(cause?: Error): void {
    if (this.#lost) return;
    clearTimeout(this.#silence);
    this.#lost =
      cause instanceof ConnectionError
        ? cause
        : new ConnectionError("CONNECTION_CLOSED", this.place, cause);
    if (this.#asked) return;
    this.limits.onLost(this.#lost);
    this.#refuse();
  }

  /** Rejects what the driver holds: not within its own call, which may not have noted it yet. */
  #refuse(): void {
    const tell = () => {
      if (this.limits.isDriverTold() && this.listenerCount("error") > 0)
        this.emit("error", this.#lost);
    };
    setImmediate(tell);
  }
}
