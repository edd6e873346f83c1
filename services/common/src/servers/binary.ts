/** Finds a server program that is good enough among those already on this machine. */
import { access, constants, readdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandPath, run } from "./run.js";

export interface Binary {
  path: string;
  version: string;
  /** Where it comes from: found on this machine, or installed by us. */
  source: "machine" | "cache" | "installed" | "embedded";
}

export interface Candidate {
  name: string;
  /** The oldest version that is good enough. */
  minimum: string;
}

export interface Search {
  candidates: readonly Candidate[];
  /** Folders to look into after PATH; one `*` may stand for a part of a folder's name. */
  folders?: readonly string[];
  cacheFolders?: readonly string[];
  /** The last word on a binary that is new enough. */
  accept?: (binary: Binary) => boolean;
  account?: { uid: number; gid: number } | undefined;
}

export interface SearchResult {
  binary: Binary | undefined;
  /** What was found and refused, for the reader of an error. */
  refused: Binary[];
}

const VERSION_LIMIT_MS = 20_000;
const COMMON_FOLDERS = ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/usr/sbin"];

/** Where this checkout keeps what it installed: `<repo>/.fanfare/bin`. */
export function repositoryCache(): string {
  return fileURLToPath(new URL("../../../../.fanfare/bin", import.meta.url));
}

/** Where this person's checkouts may share what was installed by hand. */
export function personalCache(): string {
  return join(homedir(), ".cache", "fanfare", "bin");
}

/** The first binary that is new enough and accepted: PATH, then folders, then our caches. */
export async function findBinary(search: Search): Promise<SearchResult> {
  const refused: Binary[] = [];
  for await (const { path, source, minimum } of places(search)) {
    const version = await versionOf(path, search.account);
    if (version === undefined) continue;
    const binary: Binary = { path, version, source };
    const accepted = isAtLeast(version, minimum) && (search.accept?.(binary) ?? true);
    if (accepted) return { binary, refused };
    refused.push(binary);
  }
  return { binary: undefined, refused };
}

interface Place {
  path: string;
  source: Binary["source"];
  minimum: string;
}

async function* places(search: Search): AsyncGenerator<Place> {
  const seen = new Set<string>();
  for (const { name, minimum } of search.candidates) {
    const onPath = await commandPath(name);
    const machine = await expand([...COMMON_FOLDERS, ...(search.folders ?? [])]);
    const paths: [string | undefined, Binary["source"]][] = [
      [onPath, "machine"],
      ...machine.map((folder): [string, Binary["source"]] => [join(folder, name), "machine"]),
      ...(search.cacheFolders ?? []).map((folder): [string, Binary["source"]] => [
        join(folder, name),
        "cache",
      ]),
    ];
    for (const [path, source] of paths) {
      if (path === undefined || !(await isExecutable(path))) continue;
      // Only to know it again: redis-server is a link to a program that obeys the name it is run by.
      const real = `${name} ${await realpath(path)}`;
      if (seen.has(real)) continue;
      seen.add(real);
      yield { path, source, minimum };
    }
  }
}

/** The version that a program states, e.g. "15.13"; undefined if it cannot be run. */
export async function versionOf(
  path: string,
  account?: { uid: number; gid: number },
): Promise<string | undefined> {
  const options = { timeoutMs: VERSION_LIMIT_MS, account, cwd: "/" };
  const line = await run(path, ["--version"], options).catch(() => "");
  return /\d+(?:\.\d+)*/.exec(line)?.[0];
}

/** True if a dotted version is not older than another one; missing parts count as 0. */
export function isAtLeast(version: string, minimum: string): boolean {
  const parts = version.split(".").map(Number);
  for (const [index, wanted] of minimum.split(".").map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

/** The folders that exist for patterns such as `/usr/lib/postgresql/<any>/bin`, newest first. */
async function expand(patterns: readonly string[]): Promise<string[]> {
  const folders: string[] = [];
  for (const pattern of patterns) {
    const [before, after] = pattern.split("*");
    if (before === undefined || after === undefined) {
      folders.push(pattern);
      continue;
    }
    const parent = before.endsWith("/") ? before : dirname(before);
    const entries = await readdir(parent).catch((): string[] => []);
    const matching = entries
      .map((entry) => join(parent, entry))
      .filter((path) => path.startsWith(before));
    folders.push(...matching.sort(newestFirst).map((path) => join(path, after)));
  }
  return folders;
}

function newestFirst(left: string, right: string): number {
  return right.localeCompare(left, "en", { numeric: true });
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
