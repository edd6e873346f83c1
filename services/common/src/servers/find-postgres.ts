/** Where a PostgreSQL comes from: this machine, or the one that npm installs with us. */
import { readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Binary, findBinary } from "./binary.js";
import { findEmbeddedPostgres } from "./embedded-postgres.js";
import { ServerUnavailableError, VersionMismatchError } from "./errors.js";
import type { Account } from "./postgres-account.js";

export interface PostgresSearch {
  /** "embedded": only the one from npm; "machine": only one that is installed here. */
  source?: "machine" | "embedded" | undefined;
  /** Data that the server must be able to read, if there are any yet. */
  dataDirectory: string;
  account: Account | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

export interface PostgresBinary extends Binary {
  initdb: string;
}

export const POSTGRES_MINIMUM = "15";

const FOLDERS = [
  "/usr/lib/postgresql/*/bin",
  "/usr/pgsql-*/bin",
  "/opt/homebrew/opt/postgresql@*/bin",
  "/usr/local/opt/postgresql@*/bin",
  "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/**
 * A PostgreSQL of 15 or newer that fits the data. Fails with VersionMismatchError if there is one
 * but it cannot read them, with ServerUnavailableError if there is none.
 */
export async function findPostgres(search: PostgresSearch): Promise<PostgresBinary> {
  const { source, account, dataDirectory, onProgress } = search;
  const dataMajor = await majorOfData(dataDirectory);
  const fits = ({ version }: Binary) => dataMajor === undefined || majorOf(version) === dataMajor;
  const unfit: Binary[] = [];
  if (source !== "embedded") {
    const candidates = [{ name: "postgres", minimum: POSTGRES_MINIMUM }];
    const { binary, refused } = await findBinary({
      candidates,
      folders: FOLDERS,
      accept: fits,
      account,
    });
    if (binary) return withInitdb(binary);
    unfit.push(...refused);
  }
  if (source !== "machine") {
    const embedded = await findEmbeddedPostgres(account, onProgress);
    if (embedded && fits(embedded)) return withInitdb(embedded);
    if (embedded) unfit.push(embedded);
  }
  if (dataMajor !== undefined && unfit.length > 0) {
    const versions = unfit.map(({ version }) => version).join(", ");
    throw new VersionMismatchError("PostgreSQL", dataDirectory, dataMajor, versions);
  }
  throw new ServerUnavailableError(
    "PostgreSQL",
    `no PostgreSQL ${POSTGRES_MINIMUM} or newer here: run npm install without --omit=optional, or ` +
      "install one (Debian, Ubuntu: sudo apt-get install postgresql; macOS: brew install " +
      "postgresql@17), or name a running one in POSTGRES_URL",
  );
}

async function majorOfData(directory: string): Promise<string | undefined> {
  const text = await readFile(join(directory, "PG_VERSION"), "utf8").catch(() => undefined);
  return text?.trim();
}

/** "15.13" gives "15". */
export function majorOf(version: string): string {
  return version.split(".")[0] ?? version;
}

async function withInitdb(binary: Binary): Promise<PostgresBinary> {
  return { ...binary, initdb: join(dirname(await realpath(binary.path)), "initdb") };
}
