/** The frame around every main: start, wait for a signal, stop, and say why when that fails. */
import { Lifecycle } from "./lifecycle.js";
import { createLogger, exitOnceLogged, LOG_LEVELS } from "./log.js";
import { stopTracing } from "./tracing.js";

/** Longest a stop may take before the process ends itself, below Kubernetes' grace period. */
const STOP_LIMIT_MS = 50_000;
/** Longest that a stop waits for the collector to take the last spans. */
const FLUSH_SPANS_WITHIN_MS = 3_000;

/**
 * Runs a service until SIGTERM or SIGINT, and exits with 0. A start that fails, and an exception that
 * nobody catches, log one line and exit with 1; a stop that hangs, and a second signal, end with 2.
 */
export async function runService(
  name: string,
  start: (lifecycle: Lifecycle) => Promise<unknown>,
): Promise<void> {
  // A level that is none is a fault of the settings, which the start will tell.
  const level = LOG_LEVELS.find((each) => each === process.env.LOG_LEVEL) ?? "info";
  const log = createLogger(name, level);
  const lifecycle = new Lifecycle(log);
  // The first part is the last to be closed: the spans of the stop itself are sent too.
  lifecycle.push("telemetry", stopTracing, FLUSH_SPANS_WITHIN_MS);
  process.on("unhandledRejection", (err) => log.error({ err }, "a promise was rejected unheard"));
  process.on("uncaughtException", (err) => {
    log.fatal({ err }, "an exception was not caught");
    exitOnceLogged(log, 1);
  });
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
  const giveUp = (why: string) => {
    log.fatal({ why }, "stopped by force");
    exitOnceLogged(log, 2);
  };
  for (const again of ["SIGTERM", "SIGINT"] as const)
    process.once(again, () => giveUp("a second signal"));
  setTimeout(giveUp, STOP_LIMIT_MS, `not closed within ${STOP_LIMIT_MS} ms`).unref();
  await lifecycle.close();
  log.info("stopped");
  setTimeout(() => process.exit(0), 1_000).unref();
}
