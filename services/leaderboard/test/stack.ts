/** Leaderboard pods on real servers, and what a test needs to talk to them. */
import { fromJsonString } from "@bufbuild/protobuf";
import { type Bus, connectBus } from "@fanfare/common/bus";
import { createClient, type ServiceClient } from "@fanfare/common/grpc-client";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { type NatsServer, startNats } from "@fanfare/common/servers/nats";
import { startPostgres } from "@fanfare/common/servers/postgres";
import { startRedis } from "@fanfare/common/servers/redis";
import type { Server } from "@fanfare/common/servers/server";
import { holdsWithin } from "@fanfare/common/servers/wait";
import { type Role, Tokens } from "@fanfare/common/tokens";
import { STREAMS, subjectForLeaderboard } from "@fanfare/proto/addresses";
import { type LeaderboardChanged, LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { readConfig } from "../src/config.js";
import { startServer } from "../src/server.js";
import type { Published } from "./events.js";

const SECRET = "a secret of the tests that is long enough";
const tokens = new Tokens([SECRET]);

export function tokenOf(role: Role, sessionId?: string): string {
  return tokens.issue({ role, subject: role, ...(sessionId ? { sessionId } : {}) }, 600);
}

export interface Pod {
  client: ServiceClient<typeof LeaderboardService>;
  adminPort: number;
  /** The sum of a metric's values that carry all of these labels. */
  count(metric: string, labels?: Record<string, string>): Promise<number>;
  stop(): Promise<void>;
}

export class Stack implements AsyncDisposable {
  readonly #pods = new Set<Pod>();
  readonly #lifecycle = new Lifecycle(createLogger("test", "silent"));

  private constructor(
    readonly nats: NatsServer,
    readonly redis: Server,
    readonly postgres: Server | undefined,
  ) {}

  bus!: Bus;

  static async start(options: { postgres?: boolean } = {}): Promise<Stack> {
    const [nats, redis, postgres] = await Promise.all([
      startNats({ syncInterval: "2m" }),
      startRedis(),
      options.postgres ? startPostgres({ fsync: false }) : undefined,
    ]);
    const stack = new Stack(nats, redis, postgres);
    stack.bus = await connectBus({ url: nats.url, name: "test", replicas: 1 }, stack.#lifecycle);
    return stack;
  }

  async startPod(name = "pod-a", settings: Record<string, string> = {}): Promise<Pod> {
    const lifecycle = new Lifecycle(createLogger(name, process.env.LOG_LEVEL ?? "silent"));
    const config = readConfig({
      NATS_URL: this.nats.url,
      REDIS_URL: this.redis.url,
      // Nobody listens at port 9 where a test has no PostgreSQL.
      POSTGRES_URL: this.postgres?.url ?? "postgres://127.0.0.1:9/none",
      TOKEN_SECRET: SECRET,
      LISTEN_HOST: "127.0.0.1",
      DRAIN_MS: "0",
      WARM_UP_MS: "0",
      POD_NAME: name,
      ...settings,
    });
    const { grpcPort, adminPort } = await startServer(config, lifecycle);
    const address = `127.0.0.1:${grpcPort}`;
    const client = createClient(LeaderboardService, address, () => tokenOf("service"));
    const pod: Pod = {
      client,
      adminPort,
      count: (metric, labels) => countOf(adminPort, metric, labels),
      stop: async () => {
        this.#pods.delete(pod);
        client.close();
        await lifecycle.close();
      },
    };
    this.#pods.add(pod);
    return pod;
  }

  /** Publishes to the log, in order; resolves once all is stored. */
  async publish(...events: Published[]): Promise<void> {
    for (const { subject, payload } of events) await this.bus.js.publish(subject, payload);
  }

  /** The last snapshot of a session in the stream. */
  async snapshot(sessionId: string): Promise<LeaderboardChanged | undefined> {
    const stored = await this.bus.jsm.streams.getMessage(STREAMS.leaderboard, {
      last_by_subj: subjectForLeaderboard(sessionId),
    });
    return stored ? fromJsonString(LeaderboardChangedSchema, stored.string()) : undefined;
  }

  /** Waits for a snapshot that `accept` takes. */
  async awaitSnapshot(
    sessionId: string,
    accept: (board: LeaderboardChanged) => boolean,
    limitMs?: number,
  ): Promise<LeaderboardChanged> {
    const isSo = (board: LeaderboardChanged | undefined) => board !== undefined && accept(board);
    const board = await eventually(() => this.snapshot(sessionId), isSo, limitMs);
    return board as LeaderboardChanged;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pod of this.#pods) await pod.stop();
    await this.#lifecycle.close();
    for (const server of [this.nats, this.redis, this.postgres])
      await server?.[Symbol.asyncDispose]();
  }
}

/** Waits until `read` gives what `accept` takes, and returns it; fails with what it gave last. */
export async function eventually<T>(
  read: () => Promise<T>,
  accept: (value: T) => boolean,
  limitMs = 10_000,
): Promise<T> {
  let last: T | undefined;
  const holds = await holdsWithin(limitMs, async () => {
    last = await read();
    return accept(last);
  });
  if (!holds) throw new Error(`not within ${limitMs} ms; last: ${show(last)}`);
  return last as T;
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}n` : each));
  return text.slice(0, 500);
}

async function countOf(
  adminPort: number,
  metric: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const wanted = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${metric}{`) && wanted.every((each) => line.includes(each)))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
