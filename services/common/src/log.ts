/** Logs are events: a fixed message, facts aside, one JSON line. No player text, no token, no answer. */
import type { EventEmitter } from "node:events";
import { destination, type Logger, pino, symbols } from "pino";
import { loggedError } from "./logged-error.js";
import { traceFieldsOf } from "./tracing.js";

export type { Logger };

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** A logger on stdout. The level is one of LOG_LEVELS; pino throws for another. */
export function createLogger(service: string, level: string): Logger {
  const out = destination({ fd: 1, sync: false });
  // pino flushes fatal lines past those that a thread is writing; exitOnceLogged keeps the order.
  out.flushSync = () => {};
  return pino(
    {
      level,
      base: { service },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      // A line about an error that came up in a span names it.
      mixin: (fields: { err?: unknown }) => traceFieldsOf(fields.err),
      serializers: { err: (thrown: unknown) => loggedError(thrown) },
    },
    out,
  );
}

/** Longest that a last line may take on its way out, where nobody reads it. */
const WRITTEN_WITHIN_MS = 5_000;

/** Ends the process once the line that was just logged is out: threads of libuv write them. */
export function exitOnceLogged(log: Logger, exitCode: number): void {
  const exit = () => process.exit(exitCode);
  if (!log.isLevelEnabled("fatal")) exit();
  const out = (log as unknown as Record<symbol, EventEmitter | undefined>)[symbols.streamSym];
  out?.once("drain", exit);
  setTimeout(exit, WRITTEN_WITHIN_MS);
}
