/** How much NATS and Redis hold, where they can be asked. */
import { STREAMS } from "@fanfare/proto/addresses";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import { dialNats } from "../dial-nats.js";
import type { Env } from "../home.js";

export interface StoreSizes {
  /** Bytes of the log in its files. */
  logBytes: number | undefined;
  /** Bytes that Redis has allocated for its own. */
  redisBytes: number | undefined;
}

const CONNECT_LIMIT_MS = 3_000;

export class Stores implements AsyncDisposable {
  private constructor(
    readonly nats: NatsConnection | undefined,
    private readonly redis: Redis | undefined,
    /** Why the log can't be read, where it can't. */
    readonly natsFault: string | undefined,
  ) {}

  /** A store that can't be reached is left out. NATS_USER and its like are read as services do. */
  static async open(env: Env, urls: { nats?: string | undefined; redis?: string | undefined }) {
    let natsFault = urls.nats ? undefined : "no address is known: give -nats URL";
    const nats = await openNats(env, urls.nats).catch((error: Error) => {
      natsFault = `${error.message} at NATS`;
      return undefined;
    });
    const redis = urls.redis ? await openRedis(urls.redis) : undefined;
    return new Stores(nats, redis, natsFault);
  }

  async sizes(): Promise<StoreSizes> {
    const [logBytes, redisBytes] = await Promise.all([this.#logBytes(), this.#redisBytes()]);
    return { logBytes, redisBytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.redis?.disconnect();
    await this.nats?.close();
  }

  async #logBytes(): Promise<number | undefined> {
    if (!this.nats) return undefined;
    const { state } = await (await jetstreamManager(this.nats)).streams.info(STREAMS.log);
    return state.bytes;
  }

  async #redisBytes(): Promise<number | undefined> {
    const text = await this.redis?.info("memory");
    const bytes = /^used_memory:(\d+)/m.exec(text ?? "")?.[1];
    return bytes === undefined ? undefined : Number(bytes);
  }
}

async function openNats(env: Env, url: string | undefined): Promise<NatsConnection | undefined> {
  return url ? dialNats(env, url, "fanfare load") : undefined;
}

async function openRedis(url: string): Promise<Redis | undefined> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_LIMIT_MS,
    retryStrategy: () => null,
  });
  redis.on("error", () => {}); // `connect` rejects and says enough.
  try {
    await redis.connect();
    return redis;
  } catch {
    redis.disconnect();
    return undefined;
  }
}
