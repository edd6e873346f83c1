/** Settings from the environment: pure, all faults at once, each with the name of its variable. */
import { z } from "zod";
import { LOG_LEVELS } from "./log.js";

export class ConfigError extends Error {
  override name = "ConfigError";
}

/**
 * Reads `env` by a shape of variable names; throws one ConfigError that lists every fault. A blank
 * variable counts as one that is not given.
 */
export function readEnv<S extends z.ZodRawShape>(
  env: Readonly<Record<string, string | undefined>>,
  shape: S,
): z.output<z.ZodObject<S>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const result = z.object(shape).safeParse(given);
  if (result.success) return result.data;
  const faults = result.error.issues.map((fault) => `${fault.path.join(".")}: ${fault.message}`);
  throw new ConfigError(`bad settings: ${faults.join("; ")}`);
}

export const port = (fallback?: number) => {
  const number = z.coerce.number("must be a port number").int().min(0).max(65_535);
  return fallback === undefined ? number : number.default(fallback);
};

/** A whole number within bounds, with its default. */
export const whole = (fallback: number, min: number, max: number) =>
  z.coerce.number("must be a whole number").int().min(min).max(max).default(fallback);

export const flag = (fallback: boolean) =>
  z
    .enum(["true", "false"], "must be true or false")
    .default(fallback ? "true" : "false")
    .transform((value) => value === "true");

/** One or more secrets, comma-separated: the first signs, all verify, so that keys can rotate. */
export const secrets = z
  .string("must be given: one or more secrets of at least 32 characters, comma-separated")
  .transform((value) => value.split(",").map((each) => each.trim()))
  .refine((list) => list.every((secret) => secret.length >= 32), {
    message: "each secret must have at least 32 characters",
  });

/** What every service reads. */
export const common = {
  GRPC_PORT: port(0),
  ADMIN_PORT: port(0),
  /** Address that both ports listen on. */
  LISTEN_HOST: z.string().default("0.0.0.0"),
  NATS_URL: z.string().default("nats://127.0.0.1:4222"),
  TOKEN_SECRET: secrets,
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`).default("info"),
  /**
   * Time between "not ready" and the end of listening, for endpoints to propagate. The stop of a
   * process ends by force after 50 s (run-service.ts).
   */
  DRAIN_MS: whole(5_000, 0, 30_000),
  POD_NAME: z.string().default(() => `pod-${process.pid}`),
} as const;

export { z };
