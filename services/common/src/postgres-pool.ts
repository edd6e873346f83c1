/**
 * A pool over the `postgres` driver that gives each connection a driver of its own, and throws both away
 * when the connection is lost. In version 3.4.9 (the newest) a connection is not fit for use after it
 * was closed, and the driver's own pool uses it again (src/connection.js):
 *
 * - `closed()` sets `socket = null`, and `execute()` does not look: the ROLLBACK of `begin`, or the next
 *   query of a transaction whose work was elsewhere meanwhile, is written in a `setImmediate`, where
 *   "Cannot read properties of null (reading 'write')" ends the process.
 * - `closed()` clears the timer of what was to be written, but keeps `chunk` and `nextWriteTimer`: the
 *   next connection's startup message is put behind those bytes and never sent.
 * - A query that comes between the socket's `error` and its `close` is neither rejected nor forgotten: the
 *   ReadyForQuery of the next connection resolves it, empty, though it never ran.
 * - The rest of a transaction may be run by the connection that came after, where it commits by itself.
 *
 * - A connection that is lost while it fetches the array types rejects a promise that nobody awaits.
 *
 * So the driver never hears of a close that it has not asked for: PostgresSocket tells it of an error.
 * What this file uses beside the driver's documents: a query's `handler`, and that `active` turns false
 * when it has ended.
 */
import postgres, { type Sql } from "postgres";
import { ConnectionError, dialPostgres, type Place, PostgresSocket } from "./postgres-socket.js";
import type { Ssl } from "./postgres-tls.js";

export interface PoolOptions {
  url: string;
  ssl: Ssl;
  password?: string | undefined;
  /** Name of the connections in the server's monitoring. */
  name: string;
  connectionsMax: number;
  /** Longest wait for the next bytes of an answer, in ms: the connection is then given up. */
  silenceMs: number;
  onSilence: () => void;
}

type Handler = (query: RawQuery) => unknown;
interface RawQuery extends PromiseLike<unknown> {
  handler: Handler;
  active: boolean;
  reject(error: unknown): void;
}
type Raw = (...args: unknown[]) => RawQuery | object;

interface Line {
  sql: Sql;
  isOpen: boolean;
  isLost: boolean;
  silenceMs: number;
  openedAt: number;
  /** Ends it once it is not used. */
  rest?: NodeJS.Timeout;
  /** Rejects when it is lost. */
  lost: Promise<never>;
  lose: (error: Error) => void;
}

/** Longest until a connection is ready for its first query. */
const OPEN_WITHIN_MS = 5_000;
const IDLE_MAX_MS = 60_000;
/** After which a connection is replaced, so that it finds a server that came in another's place. */
const LIFE_MAX_MS = 1_800_000;

/** What the server itself does where a client is gone, and how long a statement may take. */
const SESSION = `SELECT set_config('statement_timeout', $1, false),
  set_config('idle_in_transaction_session_timeout', $1, false),
  set_config('tcp_user_timeout', $1, false), set_config('tcp_keepalives_idle', '5', false),
  set_config('tcp_keepalives_interval', '2', false), set_config('tcp_keepalives_count', '3', false),
  set_config('client_connection_check_interval', $1, false)`;

export class PostgresPool {
  /** Makes queries, and never runs one. */
  readonly #maker: Sql;
  readonly #places: Place[];
  readonly #idle: Line[] = [];
  readonly #lines = new Set<Line>();
  readonly #waiting: { resolve: (line: Line) => void; reject: (error: unknown) => void }[] = [];
  #nextPlace = 0;
  #ended = false;

  constructor(private readonly options: PoolOptions) {
    this.#maker = this.#driver();
    const { host, port, path } = this.#maker.options as unknown as {
      host: string[];
      port: number[];
      path: string | false;
    };
    this.#places = host.map((each, n) => ({
      host: each,
      port: port[n] ?? 5_432,
      path: path || undefined,
    }));
  }

  /** The driver's `sql`, on this pool. It has no `reserve`, `listen` or `subscribe`. */
  sql(): Sql {
    const maker = this.#maker;
    const adopt: Raw = (made) => this.#adopt(made as object);
    const sql = (...args: unknown[]) => adopt((maker as unknown as Raw)(...args));
    const absent = () => {
      throw new Error("not offered by the pool");
    };
    return Object.assign(sql, maker, {
      unsafe: (...args: unknown[]) => adopt((maker.unsafe as unknown as Raw)(...args)),
      file: (...args: unknown[]) => adopt((maker.file as unknown as Raw)(...args)),
      begin: (...args: unknown[]) => this.#begin(args, this.options.silenceMs),
      end: (how?: { timeout?: number }) => this.end(how?.timeout),
      close: () => this.end(),
      ...{ reserve: absent, listen: absent, subscribe: absent, notify: absent },
    }) as unknown as Sql;
  }

  /** A transaction that may take as long as it takes. */
  beginPatiently<T>(work: (tx: postgres.TransactionSql) => Promise<T>): Promise<T> {
    const patient = async (tx: postgres.TransactionSql) => {
      await tx`SET LOCAL statement_timeout = 0`;
      return work(tx);
    };
    return this.#begin([patient], 0) as Promise<T>;
  }

  /** Refuses what comes and waits, and gives what runs `timeoutS`; for ever without. */
  async end(timeoutS?: number): Promise<void> {
    this.#ended = true;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#refusal());
    await Promise.all([...this.#lines].map((line) => this.#close(line, timeoutS)));
  }

  #adopt(made: object): object {
    if (made instanceof Promise)
      (made as unknown as RawQuery).handler = (query) => this.#run(query);
    return made;
  }

  async #run(query: RawQuery): Promise<void> {
    let line: Line;
    try {
      line = await this.#take();
    } catch (error) {
      return query.reject(error);
    }
    let active = query.active;
    const release = () => this.#release(line);
    Object.defineProperty(query, "active", {
      get: () => active,
      set: (now: boolean) => {
        const hasEnded = active && !now;
        active = now;
        // Not within the driver's own call, which has the connection in its hands.
        if (hasEnded) setImmediate(release);
      },
    });
    active = true;
    (line.sql`` as unknown as RawQuery).handler(query);
  }

  async #begin(args: unknown[], silenceMs: number): Promise<unknown> {
    const line = await this.#take();
    line.silenceMs = silenceMs;
    try {
      const { begin } = line.sql as { begin: (...args: unknown[]) => Promise<unknown> };
      // Without a close, the driver's ROLLBACK on a lost connection has no end.
      return await Promise.race([begin(...args), line.lost]);
    } finally {
      line.silenceMs = this.options.silenceMs;
      this.#release(line);
    }
  }

  /** An idle connection, a new one, or the first that is given back. */
  #take(): Promise<Line> {
    if (this.#ended) return Promise.reject(this.#refusal());
    const idle = this.#idle.pop();
    if (idle) {
      clearTimeout(idle.rest);
      return Promise.resolve(idle);
    }
    if (this.#lines.size < this.options.connectionsMax) return this.#open();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #release(line: Line): void {
    if (line.isLost || this.#ended) return;
    if (performance.now() - line.openedAt > LIFE_MAX_MS) {
      void this.#close(line);
      return;
    }
    const next = this.#waiting.shift();
    if (next) {
      next.resolve(line);
      return;
    }
    line.rest = setTimeout(() => void this.#close(line), IDLE_MAX_MS).unref();
    this.#idle.push(line);
  }

  async #close(line: Line, timeoutS?: number): Promise<void> {
    this.#forget(line);
    // One that is not open yet has queries of the driver's own that must not be rejected.
    if (!line.isOpen) line.lose(this.#refusal());
    else await line.sql.end(timeoutS === undefined ? {} : { timeout: timeoutS });
  }

  #forget(line: Line): void {
    line.isLost = true;
    clearTimeout(line.rest);
    const at = this.#idle.indexOf(line);
    if (at >= 0) this.#idle.splice(at, 1);
    if (!this.#lines.delete(line) || this.#ended) return;
    const next = this.#waiting.shift();
    if (next) this.#open().then(next.resolve, next.reject);
  }

  /** A connection to the first of the hosts that takes one. */
  async #open(): Promise<Line> {
    const line = this.#newLine();
    for (let tried = 1; ; tried++) {
      try {
        return await this.#openAt(line, this.#places[this.#nextPlace % this.#places.length]);
      } catch (error) {
        this.#nextPlace++;
        if (line.isLost || this.#ended || tried >= this.#places.length) {
          this.#forget(line);
          throw error;
        }
      }
    }
  }

  #newLine(): Line {
    const { silenceMs } = this.options;
    const openedAt = performance.now();
    const { promise: lost, reject: lose } = rejectable();
    const line: Line = {
      ...{ sql: this.#maker, isOpen: false, isLost: false, silenceMs, openedAt, lost, lose },
    };
    this.#lines.add(line);
    return line;
  }

  async #openAt(line: Line, place: Place = { host: "", port: 0 }): Promise<Line> {
    let socket: Promise<PostgresSocket> | undefined;
    const { promise: failed, reject: fail } = rejectable();
    const dial = () => {
      socket = this.#dial(line, place, fail);
      return socket;
    };
    const timer = setTimeout(
      () => fail(new ConnectionError("CONNECT_TIMEOUT", place)),
      OPEN_WITHIN_MS,
    );
    try {
      line.sql = this.#driver(place, dial);
      const ready = line.sql.unsafe(SESSION, [String(this.options.silenceMs)]).execute();
      await Promise.race([ready, failed, line.lost]);
      line.isOpen = true;
      return line;
    } catch (error) {
      void socket?.then((each) => each.destroy()).catch(() => {});
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** One that never connects, or that has the one connection that `dial` opens. */
  #driver(place?: Place, dial?: () => Promise<PostgresSocket>): Sql {
    const { url, password, name } = this.options;
    return postgres(url, {
      ...(password ? { password } : {}),
      ...(place ? { max: 1, host: place.host, port: place.port, socket: dial } : {}),
      // TLS, and the limits of time, are the socket's and the pool's.
      ...{ ssl: false, connect_timeout: 0, idle_timeout: 0, max_lifetime: null },
      connection: { application_name: name },
      onnotice: () => {},
    } as postgres.Options<Record<string, never>>);
  }

  async #dial(line: Line, place: Place, fail: (error: unknown) => void): Promise<PostgresSocket> {
    const inner = await dialPostgres(place, this.options.ssl);
    return new PostgresSocket(inner, place, {
      silenceMs: () => line.silenceMs,
      onSilence: this.options.onSilence,
      onLost: (error = this.#refusal()) => {
        fail(error);
        if (!line.isOpen) return;
        this.#forget(line);
        line.lose(error);
      },
      isDriverTold: () => line.isOpen,
    });
  }

  #refusal(): Error {
    return new ConnectionError("CONNECTION_CLOSED", this.#places[0] ?? { host: "", port: 0 });
  }
}

function rejectable(): { promise: Promise<never>; reject: (error: unknown) => void } {
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<never>((_, no) => {
    reject = no;
  });
  promise.catch(() => {});
  return { promise, reject };
}
