/** PostgreSQL with one superuser and one database, for `make up` and for tests. */
import { join } from "node:path";
import postgres from "postgres";
import { useExternalServer } from "./external-server.js";
import { findPostgres, POSTGRES_MINIMUM, type PostgresSearch } from "./find-postgres.js";
import { openHome, startLocalServer } from "./local-server.js";
import { placeForData, postgresAccount } from "./postgres-account.js";
import { clearStaleLock, createData } from "./postgres-data.js";
import type { Server, ServerOptions } from "./server.js";

export interface PostgresOptions extends ServerOptions {
  /** False: nothing is synced to disk, which outlives kill -9 but not a power cut. */
  fsync?: boolean | undefined;
  /** "embedded": only the one from npm; "machine": only one that is installed here. */
  source?: PostgresSearch["source"];
}

const DEFAULT_PORT = 5432;
const USER = "fanfare";
const DATABASE = "fanfare";
const ANSWER_LIMIT_S = 3;

/**
 * Resolves once the server answers a query in the database `fanfare`. It listens on 127.0.0.1
 * only and asks for no password, so anybody on this machine can use it: not for production.
 * As root it runs as the account `postgres`.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Server> {
  if (options.url) {
    const plan = { server: "PostgreSQL", defaultPort: DEFAULT_PORT } as const;
    const { url } = options;
    return useExternalServer({ ...plan, minimum: POSTGRES_MINIMUM, url, probe: askVersion });
  }
  const { onProgress, source } = options;
  const fsync = options.fsync ?? true;
  const account = await postgresAccount(onProgress);
  const home = await openHome("PostgreSQL", options.directory);
  const place = await placeForData(home.directory, account, onProgress);
  const dataDirectory = join(place, "data");
  const binary = await findPostgres({ source, dataDirectory, account, onProgress });
  const serving = ([port = 0]: readonly number[]) => {
    const args = ["LC_ALL=C", binary.path, "-D", dataDirectory, ...settings(port, fsync)];
    return { path: "env", args, cwd: dataDirectory, account };
  };
  return startLocalServer(
    {
      server: "PostgreSQL",
      version: binary.version,
      ports: [options.port ?? 0],
      home,
      marker: dataDirectory,
      stopSignal: "SIGINT",
      // Seen while the children of a killed server still end.
      tryAgain: /pre-existing shared memory block|lock file "postmaster.pid" already exists/,
      url: (port) => addressOf(port, DATABASE),
      probe: (port) => askVersion(addressOf(port, "postgres")),
      prepare: async (ports) => {
        await createData(binary, { dataDirectory, account, user: USER, fsync });
        await clearStaleLock(dataDirectory);
        return serving(ports);
      },
      afterReady: createDatabase,
    },
    options,
  );
}

function addressOf(port: number, database: string): string {
  return `postgres://${USER}@127.0.0.1:${port}/${database}`;
}

function settings(port: number, fsync: boolean): string[] {
  const values = {
    port,
    listen_addresses: "127.0.0.1",
    // The path of a socket may have some 100 bytes, and our directories may be longer.
    unix_socket_directories: "",
    fsync: fsync ? "on" : "off",
    full_page_writes: fsync ? "on" : "off",
  };
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

async function createDatabase(port: number): Promise<void> {
  await withConnection(addressOf(port, "postgres"), async (sql) => {
    const found = await sql`select 1 from pg_database where datname = ${DATABASE}`;
    if (found.length === 0) await sql`create database ${sql(DATABASE)}`;
  });
}

/** Resolves with the server's version once it answers a query. */
function askVersion(url: string): Promise<string | undefined> {
  return withConnection(url, async (sql) => {
    const [row] = await sql<{ server_version: string }[]>`show server_version`;
    return row && /\d+(?:\.\d+)*/.exec(row.server_version)?.[0];
  });
}

async function withConnection<T>(url: string, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, connect_timeout: ANSWER_LIMIT_S, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
