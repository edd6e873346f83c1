/** The data of an installation: its version, its secret, and how all of it is removed. */
import { randomBytes } from "node:crypto";
import { lstat, mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PARTITIONS } from "@fanfare/proto/addresses";
import { type Home, readSecret } from "../home.js";

/**
 * What this code can read. To be raised with every change after which older streams, keys or tables
 * can't be used; the number of partitions is part of every stored subject.
 */
const DATA_VERSION = `1, ${PARTITIONS} partitions`;

/** The data were written by another version of Fanfare. */
export class DataVersionError extends Error {
  override name = "DataVersionError";
  constructor(folder: string, found: string) {
    super(
      `${folder} was written by another version of Fanfare (data version ${found}; this one ` +
        `reads ${DATA_VERSION}). To start empty: make down CLEAN=1`,
    );
  }
}

/** Makes the folder if need be, checks its version, and returns its secret, which it may make. */
export async function openData(home: Home): Promise<{ secret: string }> {
  const entries = await readdir(home.data).catch(() => []);
  const found = await readFile(home.version, "utf8").catch(() => undefined);
  if (entries.length > 0 && found?.trim() !== DATA_VERSION)
    throw new DataVersionError(home.data, found?.trim() ?? "unknown");
  await mkdir(home.data, { recursive: true });
  if (found === undefined) await writeFile(home.version, `${DATA_VERSION}\n`);
  const known = readSecret(home);
  if (known) return { secret: known };
  const secret = randomBytes(32).toString("hex");
  await writeFile(home.secret, `${secret}\n`, { mode: 0o600 });
  return { secret };
}

/** Removes data and logs, wherever PostgreSQL had to put its own. */
export async function removeData(home: Home): Promise<void> {
  const link = join(home.data, "postgres", "data");
  const entry = await lstat(link).catch(() => undefined);
  // As root PostgreSQL may keep its data where its own account can go, behind this link.
  if (entry?.isSymbolicLink())
    await rm(dirname(await readlink(link)), { recursive: true, force: true });
  await rm(home.data, { recursive: true, force: true });
  await rm(home.logs, { recursive: true, force: true });
}
