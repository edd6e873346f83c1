/** The projection's own rules, entry by entry, on a real Redis. */
import { startRedis } from "@fanfare/common/servers/redis";
import type { Server } from "@fanfare/common/servers/server";
import { partitionOf, redisKeys } from "@fanfare/proto/addresses";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RedisBoards } from "../src/adapters/redis-boards.js";
import {
  type Answer,
  answered,
  created,
  ended,
  joined,
  laneClosed,
  outside,
  type Published,
  removed,
  roundClosed,
} from "./events.js";
import { apply, countOf, GENERATION, makeStandings, shownBoard, stored } from "./projection.js";

const SESSION = "quiz_1";
const PARTITION = partitionOf(SESSION);

let server: Server;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url, { enableAutoPipelining: true });
});

afterAll(async () => {
  redis?.disconnect();
  await server?.[Symbol.asyncDispose]();
});

beforeEach(() => redis.flushall());

const ann: Answer = { playerId: "ann", points: 900, elapsedMs: 2_000 };
const bob: Answer = { playerId: "bob", points: 0, elapsedMs: 3_000 };

/** Applies a whole log with a new projection. */
async function applied(...log: Published[]) {
  const parts = makeStandings(redis);
  await apply(parts.standings, PARTITION, stored(log));
  return parts;
}

async function shownPlayers(sessionId = SESSION): Promise<string[]> {
  return (await shownBoard(redis, sessionId)).rows.map(({ playerId }) => playerId);
}

async function readHead() {
  const board = await new RedisBoards(redis).read(SESSION, { kind: "top", size: 1 });
  if (typeof board === "string") throw new Error(board);
  return board;
}

function manyAnswers(count: number): Answer[] {
  return Array.from({ length: count }, (_, i) => ({
    playerId: `player${i}`,
    points: i % 1_000,
    elapsedMs: i,
  }));
}

describe("a round's scores", () => {
  test("stay unseen until it is closed, and are counted meanwhile", async () => {
    await applied(created(SESSION), answered(SESSION, 1, [ann, bob]));
    expect(await shownPlayers()).toEqual([]);
    expect(await readHead()).toMatchObject({ players: 0, round: 1, answers: 2, finalRound: 0 });
  });

  test("are seen once it is closed", async () => {
    await applied(
      created(SESSION),
      answered(SESSION, 1, [bob, ann]),
      laneClosed(SESSION, 1),
      roundClosed(SESSION, 1, [ann, bob]),
    );
    expect((await shownBoard(redis, SESSION)).rows).toEqual([ann, bob]);
    expect(await readHead()).toMatchObject({ players: 2, round: 1, answers: 2, finalRound: 1 });
  });

  test("are seen at once on a live board", async () => {
    await applied(created(SESSION, { liveBoard: true }), answered(SESSION, 1, [ann]));
    expect(await shownPlayers()).toEqual(["ann"]);
  });

  test("are seen at once in a session that nobody created", async () => {
    await applied(outside(SESSION, 4, "someusername", "20"));
    expect(await shownPlayers()).toEqual(["someusername"]);
    expect(await readHead()).toMatchObject({ round: 4, answers: 1, joined: 0 });
  });

  test("that come late are seen at once", async () => {
    await applied(created(SESSION), roundClosed(SESSION, 1, []), outside(SESSION, 1, "ann", "20"));
    expect(await shownPlayers()).toEqual(["ann"]);
  });

  test("of rounds that were never asked are seen at the end", async () => {
    await applied(created(SESSION), outside(SESSION, 99, "ann", "20"), ended(SESSION));
    expect(await shownPlayers()).toEqual(["ann"]);
    expect(await readHead()).toMatchObject({ round: 0, ended: true });
  });
});

describe("a second score of a player in a round", () => {
  test("is ignored and counted, whoever sent the first", async () => {
    const { metrics } = await applied(
      created(SESSION, { liveBoard: true }),
      outside(SESSION, 1, "ann", "20"),
      answered(SESSION, 1, [ann, bob, bob]),
      outside(SESSION, 1, "bob", "500"),
    );
    expect((await shownBoard(redis, SESSION)).rows).toEqual([
      { playerId: "ann", points: 20, elapsedMs: 0 },
      bob,
    ]);
    const name = "leaderboard_answers_total";
    expect(await countOf(metrics, name, { outcome: "counted" })).toBe(1);
    expect(await countOf(metrics, name, { outcome: "outside" })).toBe(1);
    expect(await countOf(metrics, name, { outcome: "duplicate" })).toBe(3);
  });

  test("counts in another round", async () => {
    await applied(outside(SESSION, 1, "ann", "20"), outside(SESSION, 2, "ann", "7"));
    expect((await shownBoard(redis, SESSION)).rows).toEqual([
      { playerId: "ann", points: 27, elapsedMs: 0 },
    ]);
  });
});

describe("a total that would not be exact", () => {
  const scores = Array.from({ length: 18 }, (_, i) => outside(SESSION, i + 1, "ann", "1000000"));

  test("refuses the score, says so, and leaves the others alone", async () => {
    const { letters, metrics } = await applied(...scores, outside(SESSION, 1, "bob", "-1000000"));
    expect((await shownBoard(redis, SESSION)).rows).toEqual([
      { playerId: "ann", points: 16_000_000, elapsedMs: 0 },
      { playerId: "bob", points: -1_000_000, elapsedMs: 0 },
    ]);
    expect(letters.map(({ entry, reason }) => [entry.sequence, reason])).toEqual([
      [17, "totals would leave their bounds for: ann"],
      [18, "totals would leave their bounds for: ann"],
    ]);
    expect(await countOf(metrics, "limit_hits_total", { limit: "POINTS_TOTAL_MAX" })).toBe(2);
  });

  test("refuses hidden scores when they would be seen", async () => {
    const { letters } = await applied(created(SESSION), ...scores, ended(SESSION));
    expect((await shownBoard(redis, SESSION)).rows).toMatchObject([{ points: 16_000_000 }]);
    expect(letters.map(({ entry }) => entry.sequence)).toEqual([20]);
  });

  test("is refused for too much time, too", async () => {
    const slow = { playerId: "ann", points: 5, elapsedMs: 2 ** 28 };
    const rounds = [1, 2, 3].map((round) => answered(SESSION, round, [slow]));
    const { letters } = await applied(created(SESSION, { liveBoard: true }), ...rounds);
    expect((await shownBoard(redis, SESSION)).rows).toEqual([slow]);
    expect(letters).toHaveLength(2);
  });
});

test("players are counted as they come and go, and keep their points", async () => {
  await applied(
    created(SESSION, { liveBoard: true }),
    joined(SESSION, ["ann", "bob", "cy"]),
    joined(SESSION, ["ann"]),
    answered(SESSION, 1, [ann]),
    removed(SESSION, "ann"),
    removed(SESSION, "ann"),
  );
  const board = await readHead();
  expect(board.joined).toBe(2);
  expect(board.rows).toEqual([{ ...ann, nickname: "Nick of ann" }]);
});

describe("an audit", () => {
  const differs = "leaderboard_audit_mismatches_total";

  test("finds nothing where the close counts what the lanes brought", async () => {
    const { metrics } = await applied(
      created(SESSION),
      outside(SESSION, 1, "ann", "20"),
      answered(SESSION, 1, [ann], 0),
      answered(SESSION, 1, [bob], 1),
      roundClosed(SESSION, 1, [ann, bob]),
    );
    expect(await countOf(metrics, "leaderboard_audit_rounds_total")).toBe(1);
    expect(await countOf(metrics, differs)).toBe(0);
  });

  test.each([
    ["answers", [ann]],
    ["points", [ann, { ...bob, points: 1 }]],
  ])("finds a close that counts other %s", async (_, counted) => {
    const { metrics } = await applied(
      created(SESSION),
      answered(SESSION, 1, [ann, bob]),
      roundClosed(SESSION, 1, counted),
    );
    expect(await countOf(metrics, differs)).toBe(1);
  });
});

describe("an id that is used again", () => {
  const first = [created(SESSION), answered(SESSION, 1, [ann]), roundClosed(SESSION, 1, [ann])];

  test("begins with an empty board of a newer epoch", async () => {
    const { standings } = await applied(...first);
    const before = await readHead();
    const second = stored([...first, created(SESSION)]).slice(-1);
    await apply(standings, PARTITION, second);
    const board = await readHead();
    expect(board).toMatchObject({ players: 0, finalRound: 0, answers: 0, joined: 0 });
    expect(board.epoch).toBeGreaterThan(before.epoch);
  });

  test("takes the same players' answers again", async () => {
    const again = { ...ann, points: 1 };
    await applied(...first, created(SESSION, { liveBoard: true }), answered(SESSION, 1, [again]));
    expect((await shownBoard(redis, SESSION)).rows).toEqual([again]);
  });
});

describe("an ended session", () => {
  const whole = [
    created(SESSION),
    joined(SESSION, ["ann"]),
    answered(SESSION, 1, [ann]),
    roundClosed(SESSION, 1, [ann]),
    outside(SESSION, 2, "bob", "5"),
    ended(SESSION),
  ];

  async function timesToLive(): Promise<number[]> {
    const keys = await redis.keys(`*:${SESSION}:*`);
    return Promise.all(keys.map((key) => redis.ttl(key)));
  }

  test("leaves Redis as a whole when its time has passed", async () => {
    await applied(...whole);
    const seconds = await timesToLive();
    // Board, scores, names, and who answered in two rounds.
    expect(seconds).toHaveLength(5);
    for (const each of seconds) expect(each).toBeGreaterThan(3_500);
  });

  test("still takes an outside score, and leaves Redis all the same", async () => {
    await applied(...whole, outside(SESSION, 7, "cy", "50"));
    expect(await shownPlayers()).toEqual(["ann", "cy", "bob"]);
    for (const each of await timesToLive()) expect(each).toBeGreaterThan(3_500);
  });

  test("is forgotten by its partition once it has expired", async () => {
    const { standings } = await applied(...whole);
    await redis.del(await redis.keys(`*:${SESSION}:*`));
    await apply(standings, PARTITION, stored([...whole, created("q17")]).slice(-1));
    expect(await redis.smembers(redisKeys.sessions(PARTITION))).toEqual(["q17"]);
  });
});

test("every key is spelled as in addresses.ts", async () => {
  await applied(
    created(SESSION),
    joined(SESSION, ["ann"]),
    answered(SESSION, 1, [ann]),
    roundClosed(SESSION, 1, [ann]),
    answered(SESSION, 2, [ann]),
  );
  expect((await redis.keys("*")).sort()).toEqual(
    [
      redisKeys.position(PARTITION),
      redisKeys.sessions(PARTITION),
      redisKeys.board(SESSION),
      redisKeys.scores(SESSION),
      redisKeys.names(SESSION),
      redisKeys.answered(SESSION, 1),
      redisKeys.answered(SESSION, 2),
      redisKeys.hidden(SESSION, 2),
    ].sort(),
  );
});

describe("the place", () => {
  const log = stored([created(SESSION, { liveBoard: true }), answered(SESSION, 1, [ann])]);

  test("refuses a batch that does not follow it, and says which one holds", async () => {
    const { standings } = makeStandings(redis);
    await apply(standings, PARTITION, log);
    expect(await apply(standings, PARTITION, log)).toBe(2);
    const ahead = stored(Array(9).fill(outside(SESSION, 1, "cy", "1"))).slice(-1);
    expect(await apply(standings, PARTITION, ahead)).toBe(2);
    expect((await shownBoard(redis, SESSION)).rows).toEqual([ann]);
  });

  test("of another generation counts as none: its boards are dropped first", async () => {
    const { standings, metrics } = makeStandings(redis);
    await apply(standings, PARTITION, log);
    expect(await standings.position(PARTITION, "another")).toBe(0);
    expect(await redis.keys(`*:${SESSION}:*`)).toEqual([]);
    expect(await apply(standings, PARTITION, log.slice(0, 1), "another")).toBe(1);
    expect(await shownPlayers()).toEqual([]);
    expect(await countOf(metrics, "leaderboard_rebuilds_total", { reason: "generation" })).toBe(1);
  });

  test("of another generation is refused by whoever still reads the old one", async () => {
    const { standings } = makeStandings(redis);
    await apply(standings, PARTITION, log);
    expect(await apply(standings, PARTITION, log.slice(0, 1), "another")).not.toBe(1);
    expect((await shownBoard(redis, SESSION)).rows).toEqual([ann]);
  });

  test("is none while a partition is being dropped, and nothing can be applied", async () => {
    const { standings } = makeStandings(redis);
    await apply(standings, PARTITION, log);
    await redis.hset(redisKeys.position(PARTITION), "dropping", 1);
    expect(await apply(standings, PARTITION, log.slice(1))).toBe(-1);
    // Whoever comes next ends the drop.
    expect(await standings.position(PARTITION, GENERATION)).toBe(0);
    expect(await apply(standings, PARTITION, log)).toBe(2);
    expect((await shownBoard(redis, SESSION)).rows).toEqual([ann]);
  });

  test("that somebody else has moved says that boards may be unpublished", async () => {
    const { standings, takenOver } = makeStandings(redis);
    await standings.position(PARTITION, GENERATION);
    await apply(standings, PARTITION, log.slice(0, 1));
    await standings.position(PARTITION, GENERATION);
    expect(takenOver).toEqual([PARTITION]);
    await apply(makeStandings(redis).standings, PARTITION, log.slice(1));
    await standings.position(PARTITION, GENERATION);
    expect(takenOver).toEqual([PARTITION, PARTITION]);
  });

  test("moves over entries that nobody can read", async () => {
    const { standings, letters } = makeStandings(redis);
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
    expect((await shownBoard(redis, SESSION)).rows).toMatchObject([{ points: 20 }]);
  });
});

test("a rebuilt board is the same, of a newer epoch", async () => {
  const log = [created(SESSION), answered(SESSION, 1, [ann]), roundClosed(SESSION, 1, [ann])];
  const { standings, metrics } = await applied(...log);
  const before = await readHead();
  await standings.rebuild(PARTITION);
  expect(await shownPlayers()).toEqual([]);
  expect(await standings.position(PARTITION, GENERATION)).toBe(0);
  await apply(standings, PARTITION, stored(log));
  const after = await readHead();
  expect(after).toEqual({ ...before, epoch: after.epoch });
  expect(after.epoch).toBeGreaterThan(before.epoch);
  expect(await countOf(metrics, "leaderboard_rebuilds_total")).toBe(1);
});

test("a drop of many sessions leaves nothing behind", async () => {
  const ids = Array.from({ length: 3_000 }, (_, i) => `q${i}`);
  const here = ids.filter((id) => partitionOf(id) === PARTITION);
  expect(here.length).toBeGreaterThan(100);
  const { standings } = await applied(...here.map((id) => outside(id, 1, "ann", "1")));
  await standings.rebuild(PARTITION);
  expect(await redis.keys("*")).toEqual([redisKeys.position(PARTITION)]);
});

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
    return new Proxy(redis, {
      get(target, property) {
        if (property === "call" && ++calls === call)
          return () => Promise.reject(new Error("Connection is closed."));
        const value = Reflect.get(target, property, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  async function expectWhole(): Promise<void> {
    expect(await redis.zcard(redisKeys.scores(SESSION))).toBe(9_001);
    expect(await redis.exists(redisKeys.hidden(SESSION, 1))).toBe(0);
    const board = await readHead();
    expect(board).toMatchObject({ finalRound: 1, answers: 9_001, players: 9_001 });
    const packed = await redis.zrange(redisKeys.scores(SESSION), 0, "-1", "WITHSCORES");
    const sum = packed.reduce((total, each, i) => (i % 2 ? total + Number(each) : total), 0);
    const expected = [...all, { points: 5_000, elapsedMs: 0 }].reduce(
      (total, { points, elapsedMs }) => total + elapsedMs - points * 2 ** 29,
      0,
    );
    expect(sum).toBe(expected);
  }

  test("is revealed in several short steps", async () => {
    const { standings, metrics } = makeStandings(redis);
    expect(await apply(standings, PARTITION, log)).toBe(12);
    await expectWhole();
    expect(await countOf(metrics, "leaderboard_audit_rounds_total")).toBe(1);
    expect(await countOf(metrics, "leaderboard_audit_mismatches_total")).toBe(0);
    expect(await countOf(metrics, "leaderboard_answers_total", { outcome: "counted" })).toBe(9_000);
  });

  test("is revealed once, though the connection breaks at any step", async () => {
    for (let call = 1; ; call++) {
      await redis.flushall();
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
      const { standings } = makeStandings(redis);
      const place = await standings.position(PARTITION, GENERATION);
      await apply(standings, PARTITION, log.slice(place));
      await expectWhole();
    }
  });
});

test("an entry of 50,000 answers is one step", async () => {
  const all = manyAnswers(50_000);
  await applied(created(SESSION, { liveBoard: true }), answered(SESSION, 1, all));
  expect(await redis.zcard(redisKeys.scores(SESSION))).toBe(50_000);
});
