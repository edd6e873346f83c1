/** `fanfare servers`: finds NATS, Redis and PostgreSQL, or installs what is missing. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Binary } from "@fanfare/common/servers/binary";
import { findPostgres } from "@fanfare/common/servers/find-postgres";
import { findNats } from "@fanfare/common/servers/install-nats";
import { findRedis } from "@fanfare/common/servers/install-redis";
import { postgresAccount } from "@fanfare/common/servers/postgres-account";
import { readFlags } from "../flags.js";
import type { Env } from "../home.js";

export const usage = `fanfare servers

Finds NATS, Redis and PostgreSQL on this machine, installs what is missing, and says where they are.
Servers that are named in NATS_URL, REDIS_URL or POSTGRES_URL are not looked for.`;

export async function run(args: readonly string[], env: Env): Promise<number> {
  readFlags(args, {});
  const onProgress = (line: string) => console.log(`  … ${line}`);
  const tell = (name: string, { version, path }: Binary) =>
    console.log(`  ${name.padEnd(11)}${version.padEnd(9)}${path}`);
  if (!env.NATS_URL) tell("NATS", await findNats({ onProgress }));
  if (!env.REDIS_URL) tell("Redis", await findRedis({ onProgress }));
  if (!env.POSTGRES_URL) {
    const account = await postgresAccount(onProgress);
    // A folder without data: any version fits.
    const dataDirectory = join(tmpdir(), "fanfare-no-data");
    tell("PostgreSQL", await findPostgres({ dataDirectory, account, onProgress }));
  }
  return 0;
}
