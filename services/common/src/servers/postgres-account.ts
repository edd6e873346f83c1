/**
 * PostgreSQL refuses to run as root. When we are root, as in CI and containers, it runs as the
 * account `postgres`; and that account must be able to reach its data, which it cannot below /root.
 */
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ServerUnavailableError } from "./errors.js";
import { run } from "./run.js";

export interface Account {
  uid: number;
  gid: number;
}

type Progress = ((line: string) => void) | undefined;

/** Where root keeps what the account must reach and the checkout cannot offer. */
export const ROOT_FOLDER = "/var/lib/fanfare";

const NAME = "postgres";
const LIMIT_MS = 20_000;

/** The account to run PostgreSQL as: undefined (our own) unless we are root. Made if missing. */
export async function postgresAccount(onProgress: Progress): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const known = await lookUp();
  if (known) return known;
  try {
    onProgress?.(`creating the system account "${NAME}", as PostgreSQL refuses to run as root`);
    const flags = [
      "--system",
      "--user-group",
      "--no-create-home",
      "--home-dir",
      "/var/lib/postgresql",
    ];
    await run("useradd", [...flags, "--shell", "/bin/sh", NAME], { timeoutMs: LIMIT_MS });
    const made = await lookUp();
    if (made) return made;
    throw new Error(`useradd made no account ${NAME}`);
  } catch (error) {
    const message =
      `PostgreSQL refuses to run as root, and no account "${NAME}" could be created: ` +
      "start as another user, or name a running server in POSTGRES_URL";
    throw new ServerUnavailableError("PostgreSQL", message, { cause: error });
  }
}

async function lookUp(): Promise<Account | undefined> {
  const ask = (flag: string) => run("id", [flag, NAME], { timeoutMs: LIMIT_MS }).then(Number);
  try {
    return { uid: await ask("-u"), gid: await ask("-g") };
  } catch {
    return undefined;
  }
}

/**
 * The folder in which the account may keep its data for `directory`: that directory itself,
 * handed to the account, or where the account cannot get there, one below /var/lib/fanfare to
 * which `<directory>/data` then points.
 */
export async function placeForData(
  directory: string,
  account: Account | undefined,
  onProgress: Progress,
): Promise<string> {
  if (!account) return directory;
  const link = join(directory, "data");
  const moved = await placeBehind(link);
  if (moved) return moved;
  await openTemporaryParents(directory);
  await chown(directory, account.uid, account.gid);
  if (await canWriteTo(directory, account)) return directory;
  await mkdir(ROOT_FOLDER, { recursive: true, mode: 0o755 });
  const place = await mkdtemp(join(ROOT_FOLDER, "postgres-"));
  await chown(place, account.uid, account.gid);
  await symlink(join(place, "data"), link);
  onProgress?.(`PostgreSQL keeps its data in ${place}: "${NAME}" cannot reach ${directory}`);
  return place;
}

/** Where an earlier start has put the data; undefined if they are here, or that place is gone. */
async function placeBehind(link: string): Promise<string | undefined> {
  const entry = await lstat(link).catch(() => undefined);
  if (!entry?.isSymbolicLink()) return undefined;
  const place = dirname(await readlink(link));
  const found = await stat(place).catch(() => undefined);
  if (found?.isDirectory()) return place;
  await rm(link);
  return undefined;
}

/** Lets others pass through folders that root made for this run in the temporary directory. */
async function openTemporaryParents(directory: string): Promise<void> {
  const top = await realpath(tmpdir());
  for (let at = dirname(directory); at.startsWith(`${top}/`); at = dirname(at)) {
    const { uid, mode } = await stat(at);
    if (uid === 0 && (mode & 0o001) === 0) await chmod(at, (mode & 0o7777) | 0o001);
  }
}

async function canWriteTo(directory: string, account: Account): Promise<boolean> {
  const script = 'cd "$1" && [ -w . ]';
  return run("/bin/sh", ["-c", script, "sh", directory], {
    timeoutMs: LIMIT_MS,
    account,
    cwd: "/",
  }).then(
    () => true,
    () => false,
  );
}
