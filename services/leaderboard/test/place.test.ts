/** The place that lies beside the boards decides what is applied, dropped and built again. */
import { partitionOf, redisKeys } from "@fanfare/proto/addresses";
import { describe, expect, test } from "vitest";
import { answered, created, outside, roundClosed } from "./events.js";
import { apply, countOf, GENERATION, makeStandings, stored } from "./projection.js";
import { ann, PARTITION, SESSION, useRedis } from "./redis-store.js";

const store = useRedis();

describe("the place", () => {
  const log = stored([created(SESSION, { liveBoard: true }), answered(SESSION, 1, [ann])]);

  test("refuses a batch that does not follow it, and says which one holds", async () => {
    const { standings } = makeStandings(store.redis);
    await apply(standings, PARTITION, log);
    expect(await apply(standings, PARTITION, log)).toBe(2);
    const ahead = stored(Array(9).fill(outside(SESSION, 1, "cy", "1"))).slice(-1);
    expect(await apply(standings, PARTITION, ahead)).toBe(2);
    expect(await store.rows()).toEqual([ann]);
  });

  test("of another generation counts as none: its boards are dropped first", async () => {
    const { standings, metrics } = makeStandings(store.redis);
    await apply(standings, PARTITION, log);
    expect(await standings.position(PARTITION, "another")).toBe(0);
    expect(await store.redis.keys(`*:${SESSION}:*`)).toEqual([]);
    expect(await apply(standings, PARTITION, log.slice(0, 1), "another")).toBe(1);
    expect(await store.players()).toEqual([]);
    expect(
      await countOf(metrics, "quiz_leaderboard_rebuilds_total", { reason: "generation" }),
    ).toBe(1);
  });

  test("of boards that another release laid out counts as none, too", async () => {
    const { standings, metrics } = makeStandings(store.redis);
    await apply(standings, PARTITION, log);
    const key = redisKeys.position(PARTITION);
    // As it was before boards had a form.
    await store.redis.hset(key, "generation", GENERATION);
    expect(await standings.position(PARTITION, GENERATION)).toBe(0);
    expect(await store.redis.keys(`*:${SESSION}:*`)).toEqual([]);
    expect(await apply(standings, PARTITION, log)).toBe(2);
    expect(await store.rows()).toEqual([ann]);
    expect(
      await countOf(metrics, "quiz_leaderboard_rebuilds_total", { reason: "generation" }),
    ).toBe(1);
  });

  test("of another generation is refused by whoever still reads the old one", async () => {
    const { standings } = makeStandings(store.redis);
    await apply(standings, PARTITION, log);
    expect(await apply(standings, PARTITION, log.slice(0, 1), "another")).not.toBe(1);
    expect(await store.rows()).toEqual([ann]);
  });

  test("is none while a partition is being dropped, and nothing can be applied", async () => {
    const { standings } = makeStandings(store.redis);
    await apply(standings, PARTITION, log);
    await store.redis.hset(redisKeys.position(PARTITION), "dropping", 1);
    expect(await apply(standings, PARTITION, log.slice(1))).toBe(-1);
    // Whoever comes next ends the drop.
    expect(await standings.position(PARTITION, GENERATION)).toBe(0);
    expect(await apply(standings, PARTITION, log)).toBe(2);
    expect(await store.rows()).toEqual([ann]);
  });

  test("that somebody else has moved says that boards may be unpublished", async () => {
    const { standings, takenOver } = makeStandings(store.redis);
    await standings.position(PARTITION, GENERATION);
    await apply(standings, PARTITION, log.slice(0, 1));
    await standings.position(PARTITION, GENERATION);
    expect(takenOver).toEqual([PARTITION]);
    await apply(makeStandings(store.redis).standings, PARTITION, log.slice(1));
    await standings.position(PARTITION, GENERATION);
    expect(takenOver).toEqual([PARTITION, PARTITION]);
  });

  test("moves over entries that nobody can read", async () => {
    const { standings, letters } = makeStandings(store.redis);
    const garbage = stored([
      outside(SESSION, 1, "ann", "garbage"),
      { subject: `QUIZ.${SESSION}.1._tomorrow`, payload: "{}" },
      outside(SESSION, 1, "ann", "20"),
      answered(SESSION, 1, [{ playerId: "not a token", points: 1, elapsedMs: 1 }]),
    ]);
    expect(await apply(standings, PARTITION, garbage)).toBe(4);
    expect(letters.map(({ entry, fault }) => [entry.sequence, fault])).toEqual([
      [1, "content"],
      [2, "subject"],
      [4, "bounds"],
    ]);
    expect(await store.rows()).toMatchObject([{ points: 20 }]);
  });
});

test("a rebuilt board is the same, of a newer epoch", async () => {
  const log = [created(SESSION), answered(SESSION, 1, [ann]), roundClosed(SESSION, 1, [ann])];
  const { standings, metrics } = await store.applied(...log);
  const before = await store.head();
  await standings.rebuild(PARTITION);
  expect(await store.players()).toEqual([]);
  expect(await standings.position(PARTITION, GENERATION)).toBe(0);
  await apply(standings, PARTITION, stored(log));
  const after = await store.head();
  expect(after).toEqual({ ...before, epoch: after.epoch });
  expect(after.epoch).toBeGreaterThan(before.epoch);
  expect(await countOf(metrics, "quiz_leaderboard_rebuilds_total")).toBe(1);
});

test("a drop of many sessions leaves nothing behind", async () => {
  const ids = Array.from({ length: 3_000 }, (_, i) => `q${i}`);
  const here = ids.filter((id) => partitionOf(id) === PARTITION);
  expect(here.length).toBeGreaterThan(100);
  const { standings } = await store.applied(...here.map((id) => outside(id, 1, "ann", "1")));
  await standings.rebuild(PARTITION);
  expect(await store.redis.keys("*")).toEqual([redisKeys.position(PARTITION)]);
});
