/** The frame around every main: start, wait for a signal, stop, and say why when that fails. */
import { Lifecycle } from "./lifecycle.js";
import { createLogger } from "./log.js";

/** Longest a stop may take before the process ends itself, below Kubernetes' grace period. */
const STOP_LIMIT_MS = 50_000;

/**
 * Runs a service until SIGTERM or SIGINT. A start that fails logs one line and exits with 1; a stop
 * that hangs ends with 2; a second signal ends at once.
 */
export async function runService(
  name: string,
  start: (lifecycle: Lifecycle) => Promise<unknown>,
): Promise<void> {
  const log = createLogger(name, process.env.LOG_LEVEL ?? "info");
  const lifecycle = new Lifecycle(log);
  process.on("unhandledRejection", (err) => log.error({ err }, "a promise was rejected unheard"));
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
  });
  try {
    // A signal during a start that waits for something ends it too.
    await Promise.race([start(lifecycle), stopped]);
  } catch (err) {
    log.fatal({ err }, "start failed");
    process.exitCode = 1;
    setTimeout(() => process.exit(1), 2_000).unref();
    return lifecycle.close(1_000);
  }
  const signal = await stopped;
  log.info({ signal }, "stopping");
  process.once("SIGTERM", () => process.exit(2));
  process.once("SIGINT", () => process.exit(2));
  setTimeout(() => process.exit(2), STOP_LIMIT_MS).unref();
  await lifecycle.close();
  log.info("stopped");
  setTimeout(() => process.exit(0), 1_000).unref();
}
