/** A Redis of a test file, emptied before each test, and short ways to fill it and look into it. */
import { startRedis } from "@fanfare/common/servers/redis";
import type { Server } from "@fanfare/common/servers/server";
import { partitionOf } from "@fanfare/proto/addresses";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { RedisBoards } from "../src/adapters/redis-boards.js";
import type { Board } from "../src/domain/ports.js";
import type { Answer, Published } from "./events.js";
import { apply, makeStandings, shownBoard, stored } from "./projection.js";

export const SESSION = "quiz_1";
export const PARTITION = partitionOf(SESSION);

export const ann: Answer = { playerId: "ann", points: 900, elapsedMs: 2_000 };
export const bob: Answer = { playerId: "bob", points: 0, elapsedMs: 3_000 };

class RedisStore {
  redis!: Redis;
  #server: Server | undefined;

  async start(): Promise<void> {
    this.#server = await startRedis();
    this.redis = new Redis(this.#server.url, { enableAutoPipelining: true });
  }

  async stop(): Promise<void> {
    this.redis?.disconnect();
    await this.#server?.[Symbol.asyncDispose]();
  }

  /** Applies a whole log with a new projection, which it returns. */
  async applied(...log: Published[]) {
    const parts = makeStandings(this.redis);
    await apply(parts.standings, PARTITION, stored(log));
    return parts;
  }

  async rows() {
    return (await shownBoard(this.redis, SESSION)).rows;
  }

  async players(): Promise<string[]> {
    return (await this.rows()).map(({ playerId }) => playerId);
  }

  /** The board with its first row. */
  async head(): Promise<Board> {
    const board = await new RedisBoards(this.redis).read(SESSION, { kind: "top", size: 1 });
    if (typeof board === "string") throw new Error(board);
    return board;
  }
}

/** Call it at the top of a test file. */
export function useRedis(): RedisStore {
  const store = new RedisStore();
  beforeAll(() => store.start());
  afterAll(() => store.stop());
  beforeEach(async () => {
    await store.redis.flushall();
  });
  return store;
}
