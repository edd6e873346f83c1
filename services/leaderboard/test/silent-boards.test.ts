/** Boards of sessions that nobody created, once they have ended in silence; and what is left of expired ones. */
import { redisKeys } from "@fanfare/proto/addresses";
import { expect, test } from "vitest";
import { RedisBoards } from "../src/adapters/redis-boards.js";
import { ended, outside } from "./events.js";
import { apply, makeStandings, stored } from "./projection.js";
import { PARTITION, SESSION, useRedis } from "./redis-store.js";

const store = useRedis();
const score = (user: string, points: string) => outside(SESSION, 1, user, points);

test("a score behind the end of such a session begins another one, whatever Redis still has", async () => {
  const log = stored([score("ann", "20"), score("bob", "5"), ended(SESSION), score("ann", "7")]);
  const whole = makeStandings(store.redis);
  await apply(whole.standings, PARTITION, log.slice(0, 3));
  const first = await store.head();
  expect([first.ended, first.players]).toEqual([true, 2]);
  expect(await store.redis.ttl(redisKeys.scores(SESSION))).toBeGreaterThan(0);
  await apply(whole.standings, PARTITION, log.slice(3));
  const second = await store.head();
  expect(second.rows).toMatchObject([{ scorer: "@ann", points: 7 }]);
  expect([second.ended, second.players]).toEqual([false, 1]);
  expect(second.epoch).toBeGreaterThan(first.epoch);
  // It lives, and so do all its keys.
  for (const key of await store.redis.keys(`*:${SESSION}:*`))
    expect([key, await store.redis.ttl(key)]).toEqual([key, -1]);

  // The same where it is read again from the log, and where the log no longer has the first one.
  for (const [from, rest] of [
    [0, log],
    [3, log.slice(3)],
  ] as const) {
    await store.redis.flushall();
    const { standings } = makeStandings(store.redis);
    await apply(standings, PARTITION, log.slice(0, from));
    await store.redis.del(...(await store.redis.keys(`*:${SESSION}:*`)), "none");
    await apply(standings, PARTITION, rest);
    expect((await store.head()).rows).toMatchObject([{ scorer: "@ann", points: 7 }]);
  }
});

test("sessions whose boards have expired are forgotten, the others are kept", async () => {
  const key = redisKeys.sessions(PARTITION);
  const { standings } = makeStandings(store.redis);
  await apply(standings, PARTITION, stored([score("ann", "20")]));
  await store.redis.sadd(key, ...Array.from({ length: 1_000 }, (_, i) => `expired${i}`));
  const boards = new RedisBoards(store.redis);
  // A call stops when few of those that it drew are gone.
  for (let calls = 0; calls < 50; calls++) await boards.prune(PARTITION);
  expect(await store.redis.smembers(key)).toEqual([SESSION]);
});
