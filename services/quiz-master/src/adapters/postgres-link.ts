/**
 * The line to PostgreSQL: brings the schema up to date as soon as the server is there, knows whether
 * it answers, and gives up waiting for it in time. It recovers by itself from a restart, a fail-over
 * and a server that went silent.
 */

import { Backoff } from "@fanfare/common/backoff";
import { ServiceError, unavailable } from "@fanfare/common/errors";
import { type Lifecycle, pause, within } from "@fanfare/common/lifecycle";
import { repeat, watchLoop } from "@fanfare/common/loops";
import type { OperationTimes } from "@fanfare/common/operation-times";
import { connectPostgres, migrate, type PostgresAccess, type Sql } from "@fanfare/common/postgres";

export interface LinkOptions extends PostgresAccess {
  /** Name of the connections in the server's monitoring. */
  name: string;
  connectionsMax: number;
  schema: string;
  /** Folder of the numbered .sql files. */
  migrations: string;
  /** Where queries are timed. */
  times: OperationTimes;
}

const BANK = "the question bank";
/** Longest that a start waits; the migration then goes on behind it. */
const START_LIMIT_MS = 10_000;
/** Longest that a call waits for PostgreSQL. */
export const QUERY_LIMIT_MS = 2_000;
const PROBE_EVERY_MS = 1_000;
const PROBE_LIMIT_MS = 2_000;
/** Probes in a row without an answer after which connections are taken for dead and replaced. */
const SILENT_PROBES_MAX = 2;
/** An import may take 20 s; that nothing answers at all the probes find sooner. */
const SILENCE_MIN_MS = 25_000;
const RETRY_AFTER_FIRST_MS = 500;
const RETRY_AFTER_MAX_MS = 5_000;
/** SQLSTATE and socket errors that say: not now, rather than: wrong. */
const AWAY =
  /^(08|53|57|25006|40001|40P01|CONNECT|ECONN|ETIMEDOUT|EPIPE|EHOST|ENET|ENOTFOUND|EAI_AGAIN)/;

export class PostgresLink {
  #pool: Sql;
  /** A connection of its own, so that a busy pool does not look like a silent server. */
  #probe: Sql;
  #migrated = false;
  #reachable = false;

  private constructor(
    private readonly options: LinkOptions,
    private readonly lifecycle: Lifecycle,
  ) {
    this.#pool = this.#connect(options.connectionsMax);
    this.#probe = this.#connect(1);
  }

  /**
   * Resolves with the schema up to date, or, while PostgreSQL is away, at once: then the link becomes
   * ready later. Rejects where a migration can't be applied.
   */
  static async open(options: LinkOptions, lifecycle: Lifecycle): Promise<PostgresLink> {
    const link = new PostgresLink(options, lifecycle);
    const fault = await answered(link.#migrate(), START_LIMIT_MS).catch((err) => err);
    if (fault && !(fault instanceof ServiceError)) throw fault;
    void watchLoop("line to PostgreSQL", link.#watch(fault), lifecycle);
    return link;
  }

  /** Whether the schema is there and the server answered when it was last asked, a second ago. */
  ready(): boolean {
    return this.#migrated && this.#reachable;
  }

  /**
   * Runs queries, timed under a name, and gives back their result. Rejects with UNAVAILABLE at once while the server is
   * away, and when it does not answer within the limit; a write may then still have happened.
   */
  async run<T>(name: string, work: (sql: Sql) => Promise<T>, limitMs = QUERY_LIMIT_MS): Promise<T> {
    return this.options.times.time(name, async () => {
      if (!this.ready()) throw unavailable(BANK);
      return answered(work(this.#pool), limitMs);
    });
  }

  async #migrate(): Promise<void> {
    const { schema, migrations } = this.options;
    const applied = await migrate(this.#pool, schema, migrations);
    if (applied.length > 0) this.lifecycle.log.info({ schema, applied }, "migrations applied");
    this.#migrated = true;
    this.#reachable = true;
  }

  async #watch(fault: unknown): Promise<void> {
    const { signal, log } = this.lifecycle;
    const backoff = new Backoff({ firstMs: RETRY_AFTER_FIRST_MS, maxMs: RETRY_AFTER_MAX_MS });
    let err = fault;
    while (!this.#migrated && !signal.aborted) {
      const retryMs = Math.round(backoff.next());
      log.warn({ err, retryMs }, "waiting for PostgreSQL");
      await pause(retryMs, signal);
      err = await this.#migrate().catch((err) => err);
    }
    let silent = 0;
    const probe = async () => {
      const answer = await this.#ask();
      this.#note(answer === "here");
      silent = answer === "silent" ? silent + 1 : 0;
      // Not again while it stays silent: new connections give up by themselves.
      if (silent === SILENT_PROBES_MAX) this.#replaceConnections();
    };
    await repeat("probe of PostgreSQL", probe, { everyMs: PROBE_EVERY_MS }, this.lifecycle);
  }

  #ask(): Promise<"here" | "away" | "silent"> {
    const asking = this.#probe`SELECT 1`.then(
      () => "here" as const,
      () => "away" as const,
    );
    return within(PROBE_LIMIT_MS, asking).catch(() => "silent" as const);
  }

  #note(reachable: boolean): void {
    const { signal, log } = this.lifecycle;
    if (reachable === this.#reachable || signal.aborted) return;
    this.#reachable = reachable;
    if (reachable) log.info("PostgreSQL is back");
    else log.warn("PostgreSQL is away");
  }

  /** Ends what waits on dead connections, and lets new ones find the server where it is now. */
  #replaceConnections(): void {
    const old = [this.#pool, this.#probe];
    this.#pool = this.#connect(this.options.connectionsMax);
    this.#probe = this.#connect(1);
    for (const pool of old) void pool.end({ timeout: 0 });
  }

  #connect(connectionsMax: number): Sql {
    const silenceMs = Math.max(SILENCE_MIN_MS, this.options.silenceMs ?? 0);
    return connectPostgres({ ...this.options, connectionsMax, silenceMs }, this.lifecycle);
  }
}

/** Rejects with UNAVAILABLE where the server is away, or silent for longer than `limitMs`. */
async function answered<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let settled = false;
  const watched = work.finally(() => {
    settled = true;
  });
  try {
    return await within(limitMs, watched);
  } catch (err) {
    throw settled && !isAway(err) ? err : unavailable(BANK, err);
  }
}

function isAway(err: unknown): boolean {
  const code = (err as { code?: unknown } | null)?.code;
  return typeof code === "string" && AWAY.test(code);
}
