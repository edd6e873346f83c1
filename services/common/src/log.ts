/** Logs are events: a fixed message, facts aside, one JSON line. No player text, no token, no answer. */
import { destination, type Logger, pino } from "pino";
import { loggedError } from "./logged-error.js";
import { traceFieldsOf } from "./tracing.js";

export type { Logger };

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** A logger on stdout. The level is one of LOG_LEVELS; pino throws for another. */
export function createLogger(service: string, level: string): Logger {
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
    destination({ fd: 1, sync: false }),
  );
}
