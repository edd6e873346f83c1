/** PostgreSQL: a small pool, and the migrations that a service's own schema needs. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Sql, TransactionSql } from "postgres";
import type { postgresSettings, z } from "./config.js";
import type { Lifecycle } from "./lifecycle.js";
import { PostgresPool } from "./postgres-pool.js";
import { postgresTls } from "./postgres-tls.js";
import type { TlsFiles } from "./tls-files.js";

export type { Sql };

/** Where PostgreSQL is, and how it lets us in. */
export interface PostgresAccess extends TlsFiles {
  /** `?sslmode=disable|prefer|require|verify-full`. */
  url: string;
  /** Wins over the URL's. */
  password?: string | undefined;
  /** Longest wait for the next bytes of an answer, in ms. */
  silenceMs?: number;
}

export function postgresAccess(
  settings: z.output<z.ZodObject<typeof postgresSettings>>,
): PostgresAccess {
  return {
    url: settings.POSTGRES_URL,
    password: settings.POSTGRES_PASSWORD,
    caFile: settings.POSTGRES_CA_FILE,
    certFile: settings.POSTGRES_CERT_FILE,
    keyFile: settings.POSTGRES_KEY_FILE,
    silenceMs: settings.POSTGRES_SILENCE_MS,
  };
}

/** Longest wait for the next bytes of an answer where the options don't say. */
const SILENCE_MS = 10_000;
const pools = new WeakMap<Sql, PostgresPool>();

/**
 * A pool that connects on first use and reconnects by itself; each new connection reads the files of
 * TLS again. A connection over which nothing comes for `silenceMs` while an answer is awaited is given
 * up, by the server too, and what waited is rejected: a write may then have happened all the same. Throws a
 * ConfigError where sslmode and files don't fit, or a file is no good.
 */
export function connectPostgres(
  options: PostgresAccess & { name: string; connectionsMax: number },
  lifecycle: Lifecycle,
): Sql {
  const { url, password, name, connectionsMax, silenceMs = SILENCE_MS } = options;
  const ssl = postgresTls(url, options);
  const onSilence = () =>
    lifecycle.log.warn({ silenceMs }, "PostgreSQL does not answer: a connection is given up");
  const access = { url, ssl, password, name, connectionsMax, silenceMs, onSilence };
  const pool = new PostgresPool(access);
  const sql = pool.sql();
  pools.set(sql, pool);
  lifecycle.push("postgres", () => sql.end({ timeout: 3 }));
  return sql;
}

/** A migration that no waiting heals: nothing of it was applied. */
export class MigrationError extends Error {
  override name = "MigrationError";
  constructor(schema: string, file: string, fault: string, cause?: unknown) {
    super(
      `${schema}: ${file} ${fault}; go back to the release that fits this database, or mend it`,
      { cause },
    );
  }
}

/**
 * PostgreSQL is away, full, stopping or busy (classes 08, 40, 53, 55, 57), or does not let us in (28, 3D):
 * all else is the file's fault.
 */
const NOT_THE_FILE = /^(08|28|3D|40|53|55|57)/;

/**
 * Applies the numbered .sql files of `folder` that this database does not have, each in its own
 * transaction, under a lock, so that any number of pods may start at once. Throws MigrationError for a
 * file that fails, or that was changed after it was applied.
 */
export async function migrate(sql: Sql, schema: string, folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => /^\d{4}_.+\.sql$/.test(name)).sort();
  const applied: string[] = [];
  for (const name of files) {
    const text = await readFile(join(folder, name), "utf8");
    const checksum = createHash("sha256").update(text).digest("hex");
    const apply = begin(sql, async (tx) => {
      await tx`SELECT pg_advisory_xact_lock(hashtext(${`fanfare migrations ${schema}`}))`;
      await tx.unsafe(`CREATE SCHEMA IF NOT EXISTS ${schema};
        CREATE TABLE IF NOT EXISTS ${schema}.migrations (
          name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
      const [known] = await tx`SELECT checksum FROM ${tx(schema)}.migrations WHERE name = ${name}`;
      if (known?.checksum === checksum) return;
      if (known) throw new MigrationError(schema, name, "was changed after it had been applied");
      await tx.unsafe(text);
      await tx`INSERT INTO ${tx(schema)}.migrations (name, checksum) VALUES (${name}, ${checksum})`;
      applied.push(name);
    });
    await apply.catch((error) => {
      throw isLasting(error) ? new MigrationError(schema, name, error.message, error) : error;
    });
  }
  return applied;
}

/** Migrations wait for each other, and a large table takes its time: no limit holds for them. */
function begin(sql: Sql, work: (tx: TransactionSql) => Promise<void>): Promise<unknown> {
  return pools.get(sql)?.beginPatiently(work) ?? sql.begin(work);
}

function isLasting(error: unknown): error is Error {
  const { name, code } = error as { name?: unknown; code?: unknown };
  return name === "PostgresError" && typeof code === "string" && !NOT_THE_FILE.test(code);
}
