/** Settings of quiz-master, from the environment. */
import { common, readEnv, whole, z } from "@fanfare/common/config";

/** What all services read, without the bus: quiz-master neither publishes nor listens. */
const { NATS_URL: _bus, ...shared } = common;

const shape = {
  ...shared,
  POSTGRES_URL: z
    .string("must be given: postgres://user:password@host:5432/database")
    .regex(/^postgres(ql)?:\/\//, "must begin with postgres://"),
  POSTGRES_CONNECTIONS_MAX: whole(8, 1, 100),
} as const;

export type Config = ReturnType<typeof readConfig>;

/** Pure; throws a ConfigError that names every variable at fault. */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const read = readEnv(env, shape);
  return {
    grpcPort: read.GRPC_PORT,
    adminPort: read.ADMIN_PORT,
    listenHost: read.LISTEN_HOST,
    tokenSecrets: read.TOKEN_SECRET,
    logLevel: read.LOG_LEVEL,
    drainMs: read.DRAIN_MS,
    podName: read.POD_NAME,
    postgres: { url: read.POSTGRES_URL, connectionsMax: read.POSTGRES_CONNECTIONS_MAX },
  };
}
