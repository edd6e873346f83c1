/** grpcurl: on PATH, in a cache, or built with Go once. */
import { execFile } from "node:child_process";
import { access, mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const VERSION = "v1.9.4";
const MODULE = "github.com/fullstorydev/grpcurl/cmd/grpcurl";
const BUILD_LIMIT_MS = 900_000;
const CACHE = join(import.meta.dirname, "..", ".fanfare", "bin", `grpcurl-${VERSION}`);

/** The folder that holds it; undefined where it is not here and Go can't build it. */
export async function findGrpcurl(): Promise<string | undefined> {
  const folders = [
    CACHE,
    join(homedir(), ".cache", "fanfare", "bin"),
    ...(process.env.PATH ?? "").split(delimiter),
  ];
  for (const folder of folders) {
    const isThere = await access(join(folder, "grpcurl")).then(
      () => true,
      () => false,
    );
    if (isThere) return folder;
  }
  try {
    await mkdir(CACHE, { recursive: true });
    await run("go", ["install", "-trimpath", "-ldflags=-s -w", `${MODULE}@${VERSION}`], {
      env: { ...process.env, GOBIN: CACHE },
      timeout: BUILD_LIMIT_MS,
    });
    return CACHE;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}
