/** Rounds that are too large for one short step, and steps that break in the middle. */
import { redisKeys } from "@fanfare/proto/addresses";
import type { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { type Answer, answered, created, outside, roundClosed } from "./events.js";
import { apply, countOf, GENERATION, makeStandings, stored } from "./projection.js";
import { PARTITION, SESSION, useRedis } from "./redis-store.js";

const store = useRedis();

function manyAnswers(count: number): Answer[] {
  return Array.from({ length: count }, (_, i) => ({
    playerId: `player${i}`,
    points: i % 1_000,
    elapsedMs: i,
  }));
}

describe("a round of 9,000 players", () => {
  const all = manyAnswers(9_000);
  const log = stored([
    created(SESSION),
    ...Array.from({ length: 9 }, (_, i) =>
      answered(SESSION, 1, all.slice(i * 1_000, i * 1_000 + 1_000)),
    ),
    roundClosed(SESSION, 1, all),
    outside(SESSION, 1, "late", "5000"),
  ]);

  /** A connection that breaks at the n-th script from now. */
  function breakingAt(call: number): Redis {
    let calls = 0;
    return new Proxy(store.redis, {
      get(target, property) {
        if (property === "call" && ++calls === call)
          return () => Promise.reject(new Error("Connection is closed."));
        const value = Reflect.get(target, property, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  async function expectWhole(): Promise<void> {
    expect(await store.redis.zcard(redisKeys.scores(SESSION))).toBe(9_001);
    expect(await store.redis.exists(redisKeys.hidden(SESSION, 1))).toBe(0);
    const board = await store.head();
    expect(board).toMatchObject({ finalRound: 1, answers: 9_001, players: 9_001 });
    const packed = await store.redis.zrange(redisKeys.scores(SESSION), 0, "-1", "WITHSCORES");
    const sum = packed.reduce((total, each, i) => (i % 2 ? total + Number(each) : total), 0);
    const expected = [...all, { points: 5_000, elapsedMs: 0 }].reduce(
      (total, { points, elapsedMs }) => total + elapsedMs - points * 2 ** 29,
      0,
    );
    expect(sum).toBe(expected);
  }

  test("is revealed in several short steps", async () => {
    const { standings, metrics } = makeStandings(store.redis);
    expect(await apply(standings, PARTITION, log)).toBe(12);
    await expectWhole();
    expect(await countOf(metrics, "quiz_audit_runs_total")).toBe(1);
    expect(await countOf(metrics, "quiz_audit_mismatches_total")).toBe(0);
    expect(await countOf(metrics, "quiz_leaderboard_scores_total", { result: "counted" })).toBe(
      9_000,
    );
  });

  test("is revealed once, though the connection breaks at any step", async () => {
    for (let call = 1; ; call++) {
      await store.redis.flushall();
      const broken = makeStandings(breakingAt(call)).standings;
      const done = await apply(broken, PARTITION, log).then(
        () => true,
        () => false,
      );
      if (done) {
        // Five calls bring the answers, more reveal them: the loop has broken them all.
        expect(call).toBeGreaterThan(8);
        return;
      }
      const { standings } = makeStandings(store.redis);
      const place = await standings.position(PARTITION, GENERATION);
      await apply(standings, PARTITION, log.slice(place));
      await expectWhole();
    }
  });
});

test("an entry of 50,000 answers is one step", async () => {
  const all = manyAnswers(50_000);
  await store.applied(created(SESSION, { liveBoard: true }), answered(SESSION, 1, all));
  expect(await store.redis.zcard(redisKeys.scores(SESSION))).toBe(50_000);
});
