/** The data folder of a PostgreSQL server: made once, whole or not at all, and freed of old locks. */
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DirectoryInUseError, ServerError, ServerStartError } from "./errors.js";
import { majorOf, type PostgresBinary } from "./find-postgres.js";
import type { Account } from "./postgres-account.js";
import { findProcess } from "./process-table.js";
import { CommandError, run } from "./run.js";

const INITDB_LIMIT_MS = 120_000;
/** Above the highest number that any system gives. */
const PID_OF_NOBODY = 999_999_999;
/** From this version on PostgreSQL brings C.UTF-8 itself, so that it is the same on every system. */
const BUILTIN_LOCALE_MAJOR = 17;

export interface DataOptions {
  dataDirectory: string;
  account: Account | undefined;
  user: string;
  fsync: boolean;
}

/** Makes the data folder if there is none; a half-made one of an earlier try is thrown away. */
export async function createData(binary: PostgresBinary, options: DataOptions): Promise<void> {
  const { dataDirectory, account } = options;
  const entries = await readdir(dataDirectory).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  if (entries.includes("PG_VERSION")) return;
  if (entries.length > 0) {
    const what = `${dataDirectory} is not empty and holds no PostgreSQL data: move it away`;
    throw new ServerError("PostgreSQL", what);
  }
  const draft = `${dataDirectory}.new`;
  await rm(draft, { recursive: true, force: true });
  const limits = { timeoutMs: INITDB_LIMIT_MS, account, cwd: dirname(dataDirectory) };
  try {
    await run("env", ["LC_ALL=C", binary.initdb, ...initdbFlags(binary, draft, options)], limits);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw explain(error);
  }
  await rename(draft, dataDirectory);
}

function initdbFlags(binary: PostgresBinary, draft: string, options: DataOptions): string[] {
  const modern = Number(majorOf(binary.version)) >= BUILTIN_LOCALE_MAJOR;
  const system = process.platform === "linux" ? "C.UTF-8" : "C";
  const locale = modern
    ? ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    : [`--locale=${system}`, "--lc-messages=C"];
  return [
    `--pgdata=${draft}`,
    `--username=${options.user}`,
    "--encoding=UTF8",
    ...locale,
    "--auth=trust",
    "--no-instructions",
    ...(options.fsync ? [] : ["--no-sync"]),
  ];
}

function explain(error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  if (/no space left on device/i.test(error.output)) {
    return Object.assign(new Error("initdb found the disk full", { cause: error }), {
      code: "ENOSPC",
    });
  }
  const lines = error.output.trim().split("\n").slice(-10);
  return new ServerStartError("PostgreSQL", "could not make its data folder", lines, {
    cause: error,
  });
}

/**
 * Frees the lock file of a server that has ended from a number that the system still or again
 * knows: a stranger's after a reboot, or that of a dead process nobody has noticed. PostgreSQL
 * would take it for a running server. The rest of the file stays: by it PostgreSQL sees whether
 * children of the old server still use the data. Fails with DirectoryInUseError if the holder is
 * a PostgreSQL of this folder.
 */
export async function clearStaleLock(dataDirectory: string): Promise<void> {
  const path = join(dataDirectory, "postmaster.pid");
  const [first = "", ...rest] = (await readFile(path, "utf8").catch(() => "")).split("\n");
  const pid = Number(first);
  if (!(pid > 0)) return;
  const holder = await findProcess(pid);
  if (holder?.commandLine.includes(dataDirectory)) {
    throw new DirectoryInUseError("PostgreSQL", dataDirectory, pid);
  }
  await writeFile(path, [PID_OF_NOBODY, ...rest].join("\n"));
}
