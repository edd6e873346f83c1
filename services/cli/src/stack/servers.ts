/** The three servers that a stack stands on: found, installed, or only named. */
import { join } from "node:path";
import { PortInUseError } from "@fanfare/common/servers/errors";
import { type NatsServer, startNats } from "@fanfare/common/servers/nats";
import { startPostgres } from "@fanfare/common/servers/postgres";
import { startRedis } from "@fanfare/common/servers/redis";
import type { Server, ServerOptions } from "@fanfare/common/servers/server";
import { type PortBook, PortBusyError } from "./ports.js";

export interface StackServers {
  nats: NatsServer;
  redis: Server;
  postgres: Server;
}

export interface ServersOptions {
  /** A server that runs already is used as it is: never started, stopped or killed. */
  natsUrl?: string | undefined;
  redisUrl?: string | undefined;
  postgresUrl?: string | undefined;
  /** True (the default): Redis keeps its boards in a file. False: a restart finds it empty. */
  redisPersistence?: boolean;
  /** False: PostgreSQL does not sync, which outlives kill -9 but not a power cut. True by default. */
  postgresFsync?: boolean;
  /** When NATS syncs to disk: "always" by default, or an interval such as "2m". */
  natsSyncInterval?: string;
}

export interface ServersPlan extends ServersOptions {
  data: string;
  logs: string;
  ports: PortBook;
  onProgress: (line: string) => void;
  onExit: (name: string, why: string) => void;
}

export type ServerId = keyof StackServers;

/** Starts all three at once. `started` is told of each, so that a failed start can be undone. */
export async function startServers(
  plan: ServersPlan,
  started: (server: Server) => void,
): Promise<StackServers> {
  const options = (id: ServerId, url: string | undefined): ServerOptions => ({
    url,
    port: plan.ports.given(id),
    directory: join(plan.data, id),
    stdioLog: join(plan.logs, `${id}.log`),
    onProgress: plan.onProgress,
    onExit: (code, signal, lines) =>
      plan.onExit(id, [signal ?? `exit code ${code}`, ...lines.slice(-3)].join("\n  ")),
  });
  const start = async <T extends Server>(id: ServerId, starting: Promise<T>): Promise<T> => {
    try {
      const server = await starting;
      started(server);
      return server;
    } catch (error) {
      throw error instanceof PortInUseError ? portBusy(error, id, plan.ports) : error;
    }
  };
  const all = await Promise.allSettled([
    start(
      "nats",
      startNats({
        ...options("nats", plan.natsUrl),
        monitorPort: plan.ports.given("nats-monitor"),
        syncInterval: plan.natsSyncInterval,
      }),
    ),
    start(
      "redis",
      startRedis({
        ...options("redis", plan.redisUrl),
        persistence: plan.redisPersistence ?? true,
      }),
    ),
    start(
      "postgres",
      startPostgres({
        ...options("postgres", plan.postgresUrl),
        fsync: plan.postgresFsync ?? true,
      }),
    ),
  ]);
  const [nats, redis, postgres] = all;
  return { nats: resultOf(nats), redis: resultOf(redis), postgres: resultOf(postgres) };
}

function portBusy(error: PortInUseError, id: ServerId, ports: PortBook): PortBusyError {
  const isMonitor = id === "nats" && error.port === ports.given("nats-monitor");
  return new PortBusyError(error.port, isMonitor ? "nats-monitor" : id);
}

/** Waits for all before the first failure is told: nothing may still be starting behind it. */
function resultOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === "rejected") throw result.reason;
  return result.value;
}
