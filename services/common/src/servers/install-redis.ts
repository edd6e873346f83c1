/** Where a Redis or Valkey server comes from: this machine, apt, or Homebrew. */
import { type Binary, findBinary, isAtLeast, repositoryCache } from "./binary.js";
import { ServerUnavailableError } from "./errors.js";
import { withInstallLock } from "./install-lock.js";
import type { InstallOptions } from "./install-nats.js";
import { commandPath, run } from "./run.js";

export const REDIS_MINIMUM = "7";
const VALKEY_MINIMUM = "8";

const INSTALL_LIMIT_MS = 15 * 60_000;
const QUESTION_LIMIT_MS = 10_000;

/** A Redis of 7 or newer, or a Valkey of 8 or newer; installed by the system's packager if none. */
export async function findRedis(options: InstallOptions = {}): Promise<Binary> {
  const search = () =>
    findBinary({
      candidates: [
        { name: "redis-server", minimum: REDIS_MINIMUM },
        { name: "valkey-server", minimum: VALKEY_MINIMUM },
      ],
      folders: ["/opt/homebrew/opt/valkey/bin", "/usr/local/opt/valkey/bin"],
    });
  const { binary } = await search();
  if (binary) return binary;
  const cache = options.cacheDirectory ?? repositoryCache();
  const onWait = () => options.onProgress?.("another process installs Redis, waiting for it…");
  const install = async () => {
    const meanwhile = (await search()).binary;
    if (meanwhile) return meanwhile;
    let cause: unknown;
    try {
      await installRedis(options);
      const installed = (await search()).binary;
      if (installed) return { ...installed, source: "installed" } as const;
    } catch (error) {
      cause = error;
    }
    throw unavailable(cause);
  };
  return withInstallLock(cache, "redis-server", install, onWait);
}

async function installRedis(options: InstallOptions): Promise<void> {
  if (await commandPath("apt-get")) await installWithApt(options);
  else if (await commandPath("brew")) {
    options.onProgress?.("installing valkey with brew (once)…");
    await run("brew", ["install", "--quiet", "valkey"], { timeoutMs: INSTALL_LIMIT_MS });
  } else throw new Error("neither apt-get nor brew on PATH");
}

async function installWithApt(options: InstallOptions): Promise<void> {
  const asRoot = await rootPrefix();
  const apt = (args: string[]) => {
    const quietly = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"];
    const words = [...asRoot, ...quietly, "-o", "DPkg::Lock::Timeout=300", ...args];
    return run(words[0] ?? "", words.slice(1), { timeoutMs: INSTALL_LIMIT_MS });
  };
  options.onProgress?.("installing redis-server with apt-get (once)…");
  await apt(["update"]);
  const policy = await run("apt-cache", ["policy", "redis-server"], {
    timeoutMs: QUESTION_LIMIT_MS,
  });
  const [, offered] = /Candidate: (?:\d+:)?(\d[\d.]*)/.exec(policy) ?? [];
  if (!offered || !isAtLeast(offered, REDIS_MINIMUM)) {
    throw new Error(`apt offers redis-server ${offered ?? "nowhere"}`);
  }
  await apt(["install", "--no-install-recommends", "redis-server"]);
  await stopSystemService(asRoot);
}

/** We start our own on our own port: the service that the package may have started is not wanted. */
async function stopSystemService(asRoot: string[]): Promise<void> {
  const script = `
    service redis-server stop
    if [ -d /run/systemd/system ]; then systemctl disable redis-server; fi`;
  const words = [...asRoot, "/bin/sh", "-c", script];
  // It may not run at all, as in a container; then there is nothing to stop.
  await run(words[0] ?? "", words.slice(1), { timeoutMs: INSTALL_LIMIT_MS }).catch(() => {});
}

/** What makes a command run as root: nothing, or sudo if it asks for no password. */
async function rootPrefix(): Promise<string[]> {
  if (process.getuid?.() === 0) return [];
  await run("sudo", ["-n", "true"], { timeoutMs: QUESTION_LIMIT_MS });
  return ["sudo", "-n"];
}

function unavailable(cause: unknown): ServerUnavailableError {
  return new ServerUnavailableError(
    "Redis",
    `no Redis ${REDIS_MINIMUM} or Valkey ${VALKEY_MINIMUM} or newer here, and none could be ` +
      `installed: install one (Debian, Ubuntu: sudo apt-get install redis-server; macOS: ` +
      `brew install valkey), or name a running one in REDIS_URL`,
    { cause },
  );
}
