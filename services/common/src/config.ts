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
  const faults = [
    ...(result.error?.issues ?? []).map((fault) => `${fault.path.join(".")}: ${fault.message}`),
    ...halfGiven(given, shape),
  ];
  if (result.success && faults.length === 0) return result.data;
  throw new ConfigError(`bad settings: ${faults.join("; ")}`);
}

/** Variables that are given together or not at all. */
const TOGETHER = [
  ["GRPC_CERT_FILE", "GRPC_KEY_FILE", "GRPC_CA_FILE"],
  ["NATS_USER", "NATS_PASSWORD"],
  ["NATS_CERT_FILE", "NATS_KEY_FILE"],
  ["REDIS_CERT_FILE", "REDIS_KEY_FILE"],
  ["POSTGRES_CERT_FILE", "POSTGRES_KEY_FILE"],
] as const;

/** Names what is missing of each group that is given in part, where the shape knows the group. */
function halfGiven(given: Record<string, unknown>, shape: z.ZodRawShape): string[] {
  return TOGETHER.flatMap((group) => {
    const there = group.filter((name) => name in given && name in shape);
    const missing = group.filter((name) => !(name in given));
    if (there.length === 0 || missing.length === 0) return [];
    return missing.map((name) => `${name}: must be given too, as ${there.join(" and ")} is`);
  });
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

const text = z.string().optional();

/** How the log is reached (bus-connection.ts). */
export const natsSettings = {
  /** One or more servers, comma-separated; `tls://` asks for TLS, as each of the files does. */
  NATS_URL: z.string().default("nats://127.0.0.1:4222"),
  NATS_USER: text,
  NATS_PASSWORD: text,
  /** A .creds file (user JWT and seed), read again at each reconnect, as all files are. */
  NATS_CREDS_FILE: text,
  NATS_CA_FILE: text,
  NATS_CERT_FILE: text,
  NATS_KEY_FILE: text,
  /** Copies of each stream: 1, or 3 or 5 on a cluster. */
  NATS_REPLICAS: z.coerce
    .number()
    .pipe(z.union([z.literal(1), z.literal(3), z.literal(5)], "must be 1, 3 or 5"))
    .default(1),
  /** What the log may hold before it refuses new entries, in bytes; 0 leaves its limit as it is (none). */
  NATS_LOG_BYTES_MAX: whole(0, 0, Number.MAX_SAFE_INTEGER),
  /** How long the last board of a session is kept for joiners, in seconds; then the leaderboard is asked. */
  NATS_BOARDS_AGE_S: whole(30 * 86_400, 120, 3_650 * 86_400),
  /** What all these boards may take, in bytes: those that changed longest ago go first. */
  NATS_BOARDS_BYTES_MAX: whole(67_108_864, 1_048_576, Number.MAX_SAFE_INTEGER),
  /** How long entries that nobody could read are kept for people, in seconds. */
  NATS_DEAD_LETTERS_AGE_S: whole(30 * 86_400, 86_400, 3_650 * 86_400),
  /** What they may take, in bytes: the oldest go first. */
  NATS_DEAD_LETTERS_BYTES_MAX: whole(134_217_728, 1_048_576, Number.MAX_SAFE_INTEGER),
} as const;

/** mTLS between the services, with all three; plain text with none (mutual-tls.ts). */
export const grpcTlsSettings = {
  GRPC_CERT_FILE: text,
  GRPC_KEY_FILE: text,
  GRPC_CA_FILE: text,
} as const;

/** How PostgreSQL is reached (postgres.ts). */
export const postgresSettings = {
  POSTGRES_URL: z
    .string("must be given: postgres://user:password@host:5432/database")
    .regex(/^postgres(ql)?:\/\//, "must begin with postgres://"),
  /** Wins over the URL's. */
  POSTGRES_PASSWORD: text,
  POSTGRES_CA_FILE: text,
  POSTGRES_CERT_FILE: text,
  POSTGRES_KEY_FILE: text,
  /**
   * Longest wait for the next bytes of an answer, in ms; then the connection is given up, by the server
   * too (statement_timeout and others of the session). After a cut of the network TCP would wait for minutes.
   */
  POSTGRES_SILENCE_MS: whole(10_000, 1_000, 600_000),
} as const;

/** What every service reads that needs no log. */
export const basic = {
  GRPC_PORT: port(0),
  ADMIN_PORT: port(0),
  /** Address that both ports listen on. */
  LISTEN_HOST: z.string().default("0.0.0.0"),
  TOKEN_SECRET: secrets,
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`).default("info"),
  /**
   * Time between "not ready" and the end of listening, for endpoints to propagate. The stop of a
   * process ends by force after 50 s (run-service.ts).
   */
  DRAIN_MS: whole(5_000, 0, 30_000),
  POD_NAME: z.string().default(() => `pod-${process.pid}`),
  ...grpcTlsSettings,
} as const;

/** How long a process may rehearse (rehearsal.ts). */
export const warmUpSettings = {
  /** Longest time for which hot paths are rehearsed before this process is ready; 0 leaves it out. */
  WARM_UP_MS: whole(5_000, 0, 60_000),
} as const;

/** What every service on the log reads. */
export const common = { ...basic, ...natsSettings } as const;

export { z };
