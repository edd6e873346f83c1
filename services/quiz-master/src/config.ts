/** Settings of quiz-master, from the environment. */
import { basic, postgresSettings, readEnv, whole } from "@fanfare/common/config";
import { grpcTlsFiles } from "@fanfare/common/mutual-tls";
import { postgresAccess } from "@fanfare/common/postgres";

const shape = {
  // Without the bus: quiz-master neither publishes nor listens.
  ...basic,
  ...postgresSettings,
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
    postgres: { ...postgresAccess(read), connectionsMax: read.POSTGRES_CONNECTIONS_MAX },
    tls: grpcTlsFiles(read),
  };
}
