/** The connection to Redis or Valkey: calls fail fast while it is away, and it comes back by itself. */
import { unavailable } from "@fanfare/common/errors";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import { Redis } from "ioredis";

/** Longest that a command may take; a server that hangs counts as away. */
const COMMAND_LIMIT_MS = 2_000;
const RECONNECT_MAX_MS = 500;

/** Begins to connect and returns at once: nothing here waits for Redis. */
export function connectRedis(url: string, name: string, lifecycle: Lifecycle): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    lazyConnect: true,
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_LIMIT_MS,
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(attempt * 50, RECONNECT_MAX_MS),
    // A fail-over made our server a replica: look for the new primary behind the same name.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  });
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
  redis.connect().catch(() => {});
  lifecycle.push("redis", () => redis.disconnect());
  return redis;
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
