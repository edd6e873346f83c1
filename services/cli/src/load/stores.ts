/** How much NATS and Redis hold, where they can be asked. */
import { STREAMS } from "@fanfare/proto/addresses";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Redis } from "ioredis";

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

  /** A store that can't be reached is left out. */
  static async open(urls: { nats?: string | undefined; redis?: string | undefined }) {
    let natsFault = urls.nats ? undefined : "no address is known: give -nats URL";
    const nats =
      urls.nats &&
      (await connect({
        servers: urls.nats,
        timeout: CONNECT_LIMIT_MS,
        reconnect: false,
      }).catch((error: Error) => {
        natsFault = `${urls.nats}: ${error.message}`;
        return undefined;
      }));
    const redis = urls.redis ? await openRedis(urls.redis) : undefined;
    return new Stores(nats || undefined, redis, natsFault);
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
