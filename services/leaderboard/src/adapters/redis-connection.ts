/** The connection to Redis or Valkey: calls fail fast while it is away, and it comes back by itself. */
import { unavailable } from "@fanfare/common/errors";
import { type Lifecycle, pause } from "@fanfare/common/lifecycle";
import { rereadTls } from "@fanfare/common/tls-files";
import { Cluster, Redis } from "ioredis";
import type { RedisAccess } from "../redis-settings.js";

/** Longest that a command may take; a server that hangs counts as away. */
const COMMAND_LIMIT_MS = 2_000;
/**
 * A connection on which nothing comes back for so long is given up: its machine may be gone without a
 * word, and the next connection finds who has taken its place.
 */
const SILENCE_LIMIT_MS = 5_000;
const CONNECT_LIMIT_MS = 2_000;
const RECONNECT_MAX_MS = 500;

/** What is asked of Redis: commands whose keys share one hash tag, so that a cluster can serve them. */
export interface RedisCommands {
  call(command: string, args: (string | number)[]): Promise<unknown>;
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]>;
  smembers(key: string): Promise<string[]>;
  zrange(key: string, from: number, to: string, withScores: "WITHSCORES"): Promise<string[]>;
}

/**
 * Begins to connect and returns at once: nothing here waits for Redis. Throws a ConfigError where a
 * file of TLS is no good.
 */
export function connectRedis(
  access: RedisAccess,
  name: string,
  lifecycle: Lifecycle,
): RedisCommands {
  const redis = clientOf(access, name);
  let away = false;
  redis.on("ready", () => {
    if (away) lifecycle.log.info("connected to Redis again");
    away = false;
  });
  redis.on("error", (err) => {
    if (!away) lifecycle.log.warn({ err }, "Redis is away");
    away = true;
  });
  redis.on("close", () => {
    if (!away && !lifecycle.signal.aborted) lifecycle.log.warn("Redis is away");
    away = true;
  });
  const connect = () => void redis.connect().catch(() => {});
  // ioredis gives up for good where a sentinel tells of the fail-over while it asks for the primary.
  redis.on("end", async () => {
    await pause(RECONNECT_MAX_MS, lifecycle.signal);
    if (!lifecycle.signal.aborted) connect();
  });
  connect();
  lifecycle.push("redis", () => redis.disconnect());
  return redis;
}

function clientOf(access: RedisAccess, name: string): Redis | Cluster {
  const tls = access.secure ? rereadTls(access.tls) : undefined;
  const perConnection = {
    ...login(access),
    ...(tls ? { tls } : {}),
    connectionName: name,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_LIMIT_MS,
    socketTimeout: SILENCE_LIMIT_MS,
    connectTimeout: CONNECT_LIMIT_MS,
    // A fail-over made our server a replica: look for the new primary behind the same name.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  };
  const perClient = { lazyConnect: true, enableAutoPipelining: true, enableOfflineQueue: false };
  const direct = { ...perConnection, ...perClient, retryStrategy: retryAfter };
  switch (access.kind) {
    case "single":
      return new Redis({ ...direct, host: access.host, port: access.port, db: access.db });
    case "sentinel":
      return new Redis({
        ...direct,
        sentinels: access.sentinels,
        name: access.primary,
        db: access.db,
        ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: tls } : {}),
        ...(access.sentinelPassword ? { sentinelPassword: access.sentinelPassword } : {}),
        sentinelCommandTimeout: COMMAND_LIMIT_MS,
        sentinelRetryStrategy: retryAfter,
        // The sentinels tell of a fail-over also where the old primary keeps its connections.
        failoverDetector: true,
        sentinelReconnectStrategy: () => RECONNECT_MAX_MS,
      });
    case "cluster":
      return new Cluster(access.nodes, {
        ...perClient,
        clusterRetryStrategy: retryAfter,
        slotsRefreshTimeout: COMMAND_LIMIT_MS,
        // Names are left to each connection: certificates are made for them.
        dnsLookup: (host, found) => found(null, host),
        redisOptions: perConnection,
      });
  }
}

function login({ username, password }: RedisAccess): { username?: string; password?: string } {
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

function retryAfter(attempt: number): number {
  return Math.min(attempt * 50, RECONNECT_MAX_MS);
}

/** What a server replies while it is there but can't serve. */
const NOT_NOW = /^(LOADING|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN|BUSY|OOM)/;

/** Runs a read; that Redis is out of reach becomes UNAVAILABLE, a fault of ours stays what it is. */
export async function fromRedis<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const replied = error instanceof Error && error.name === "ReplyError";
    if (replied && !NOT_NOW.test(error.message)) throw error;
    throw unavailable("Redis", error);
  }
}
