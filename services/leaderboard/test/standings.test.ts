/** The projection's own rules, entry by entry, on a real Redis. */
import { redisKeys } from "@fanfare/proto/addresses";
import { describe, expect, test } from "vitest";
import { RedisBoards } from "../src/adapters/redis-boards.js";
import { toStandings } from "../src/domain/standings.js";
import {
  answered,
  created,
  ended,
  joined,
  joinedUnder,
  laneClosed,
  nickname,
  outside,
  removed,
  roundClosed,
} from "./events.js";
import { apply, countOf, GENERATION, makeStandings, shownBoard, stored } from "./projection.js";
import { ann, bob, PARTITION, SESSION, useRedis } from "./redis-store.js";

const store = useRedis();

describe("a round's scores", () => {
  test("stay unseen until it is closed, and are counted meanwhile", async () => {
    await store.applied(created(SESSION), answered(SESSION, 1, [ann, bob]));
    expect(await store.players()).toEqual([]);
    expect(await store.head()).toMatchObject({ players: 0, round: 1, answers: 2, finalRound: 0 });
  });

  test("are seen once it is closed", async () => {
    await store.applied(
      created(SESSION),
      answered(SESSION, 1, [bob, ann]),
      laneClosed(SESSION, 1),
      roundClosed(SESSION, 1, [ann, bob]),
    );
    expect(await store.rows()).toEqual([ann, bob]);
    expect(await store.head()).toMatchObject({ players: 2, round: 1, answers: 2, finalRound: 1 });
  });

  test("are seen at once on a live board", async () => {
    await store.applied(created(SESSION, { liveBoard: true }), answered(SESSION, 1, [ann]));
    expect(await store.players()).toEqual(["ann"]);
  });

  test("are seen at once in a session that nobody created", async () => {
    await store.applied(outside(SESSION, 4, "someusername", "20"));
    expect(await store.players()).toEqual(["@someusername"]);
    expect(await store.head()).toMatchObject({ round: 4, answers: 1, joined: 0 });
  });

  test("that come late are seen at once", async () => {
    await store.applied(
      created(SESSION),
      roundClosed(SESSION, 1, []),
      outside(SESSION, 1, "ann", "20"),
    );
    expect(await store.players()).toEqual(["@ann"]);
  });

  test("of rounds that were never asked are seen at the end", async () => {
    await store.applied(created(SESSION), outside(SESSION, 99, "ann", "20"), ended(SESSION));
    expect(await store.players()).toEqual(["@ann"]);
    expect(await store.head()).toMatchObject({ round: 0, ended: true });
  });
});

describe("a second score of a player in a round", () => {
  test("is ignored and counted", async () => {
    const { metrics } = await store.applied(
      created(SESSION, { liveBoard: true }),
      outside(SESSION, 1, "cy", "20"),
      answered(SESSION, 1, [ann, bob, bob]),
      outside(SESSION, 1, "cy", "500"),
    );
    expect(await store.rows()).toEqual([ann, { playerId: "@cy", points: 20, elapsedMs: 0 }, bob]);
    const name = "quiz_leaderboard_scores_total";
    expect(await countOf(metrics, name, { result: "counted" })).toBe(2);
    expect(await countOf(metrics, name, { result: "outside" })).toBe(1);
    expect(await countOf(metrics, name, { result: "duplicate" })).toBe(2);
  });

  test.each([
    ["before", [outside(SESSION, 1, "ann", "5"), answered(SESSION, 1, [ann])]],
    ["after", [answered(SESSION, 1, [ann]), outside(SESSION, 1, "ann", "5")]],
  ])("is none where an outsider of that name scored %s", async (_, scores) => {
    const { metrics } = await store.applied(
      created(SESSION),
      joined(SESSION, ["ann"]),
      ...scores,
      roundClosed(SESSION, 1, [ann]),
    );
    expect(await store.rows()).toEqual([ann, { playerId: "@ann", points: 5, elapsedMs: 0 }]);
    const { rows } = await store.head();
    expect(toStandings({ rows, firstRank: 1 })).toMatchObject([
      { playerId: "ann", nickname: nickname("ann"), outside: false },
    ]);
    expect(await countOf(metrics, "quiz_audit_mismatches_total")).toBe(0);
  });

  test("counts in another round", async () => {
    await store.applied(outside(SESSION, 1, "ann", "20"), outside(SESSION, 2, "ann", "7"));
    expect(await store.rows()).toEqual([{ playerId: "@ann", points: 27, elapsedMs: 0 }]);
  });
});

test("totals beyond 24 bits of points stay right: nothing is refused that PostgreSQL counts", async () => {
  const scores = Array.from({ length: 18 }, (_, i) => outside(SESSION, i + 1, "ann", "1000000"));
  const { letters } = await store.applied(...scores);
  expect(letters).toEqual([]);
  expect(await store.rows()).toEqual([{ playerId: "@ann", points: 18_000_000, elapsedMs: 0 }]);
});

test("players are counted as they come and go, and keep their points", async () => {
  await store.applied(
    created(SESSION, { liveBoard: true }),
    joined(SESSION, ["ann", "bob", "cy"]),
    joined(SESSION, ["ann"]),
    answered(SESSION, 1, [ann]),
    removed(SESSION, "ann"),
    removed(SESSION, "ann"),
  );
  const board = await store.head();
  expect(board.joined).toBe(2);
  const { playerId: scorer, ...score } = ann;
  expect(board.rows).toEqual([{ scorer, ...score, nickname: nickname("ann") }]);
});

describe("a ban", () => {
  const begun = [created(SESSION), joined(SESSION, ["ann", "bob"])];
  const banned = removed(SESSION, "ann", { banned: true });
  const closed = roundClosed(SESSION, 1, [ann, bob]);

  test.each([
    ["while the scores are hidden", [answered(SESSION, 1, [ann, bob]), banned, closed]],
    ["before the answer", [banned, answered(SESSION, 1, [ann, bob]), closed]],
    ["after the close", [answered(SESSION, 1, [ann, bob]), closed, banned]],
    ["behind the end", [answered(SESSION, 1, [ann, bob]), closed, ended(SESSION), banned]],
  ])("takes the player off the board %s, and the ranks of others close up", async (_, rest) => {
    const { metrics } = await store.applied(...begun, ...rest);
    expect(await store.rows()).toEqual([bob]);
    expect(await store.head()).toMatchObject({ players: 1, answers: 2, joined: 1, firstRank: 1 });
    // The log keeps the answer, and so does what is counted.
    expect(await countOf(metrics, "quiz_audit_runs_total")).toBe(1);
    expect(await countOf(metrics, "quiz_audit_mismatches_total")).toBe(0);
    const table = await new RedisBoards(store.redis).scan(SESSION);
    expect([table.rankOf("bob"), table.rankOf("ann"), table.players]).toEqual([1, 0, 1]);
  });

  test("makes new ranks, and an ended board leaves Redis as a whole", async () => {
    await store.applied(...begun, answered(SESSION, 1, [ann, bob]), closed, ended(SESSION), banned);
    const { scored } = (await new RedisBoards(store.redis).state(SESSION)) ?? {};
    expect(scored).toBe("6");
    for (const key of await store.redis.keys(`*:${SESSION}:*`))
      expect(await store.redis.ttl(key), key).toBeGreaterThan(3_500);
  });

  test("takes along who had the name before or has it now, and an outsider who goes by it", async () => {
    const name = nickname("ann");
    await store.applied(
      ...begun,
      answered(SESSION, 1, [ann, bob]),
      outside(SESSION, 1, name.toUpperCase(), "7"),
      removed(SESSION, "ann"),
      joinedUnder(SESSION, "heir", name),
      answered(SESSION, 1, [{ playerId: "heir", points: 5, elapsedMs: 0 }]),
      removed(SESSION, "heir", { name, banned: true }),
      roundClosed(SESSION, 1, [ann, bob, { points: 5 }]),
      outside(SESSION, 1, name, "9"),
    );
    expect(await store.rows()).toEqual([bob]);
  });

  test("that was held up is none in the next session of the id", async () => {
    const late = removed(SESSION, "ann", { banned: true, logStart: 1n });
    await store.applied(
      ...begun,
      ended(SESSION),
      created(SESSION, { liveBoard: true }),
      late,
      joined(SESSION, ["ann"]),
      answered(SESSION, 1, [ann]),
    );
    expect(await store.rows()).toEqual([ann]);
    expect((await store.head()).joined).toBe(1);
  });

  test("is no kick: who is kicked keeps points and row", async () => {
    await store.applied(
      ...begun,
      answered(SESSION, 1, [ann, bob]),
      removed(SESSION, "ann"),
      closed,
    );
    expect(await store.rows()).toEqual([ann, bob]);
  });
});

describe("an audit", () => {
  const differs = "quiz_audit_mismatches_total";

  test("finds nothing where the close counts what the lanes brought", async () => {
    const { metrics } = await store.applied(
      created(SESSION),
      outside(SESSION, 1, "ann", "20"),
      answered(SESSION, 1, [ann], 0),
      answered(SESSION, 1, [bob], 1),
      roundClosed(SESSION, 1, [ann, bob]),
    );
    expect(await countOf(metrics, "quiz_audit_runs_total")).toBe(1);
    expect(await countOf(metrics, differs)).toBe(0);
  });

  test.each([
    ["answers", [ann]],
    ["points", [ann, { ...bob, points: 1 }]],
  ])("finds a close that counts other %s", async (_, counted) => {
    const { metrics } = await store.applied(
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
    const { standings } = await store.applied(...first);
    const before = await store.head();
    const second = stored([...first, created(SESSION)]).slice(-1);
    await apply(standings, PARTITION, second);
    const board = await store.head();
    expect(board).toMatchObject({ players: 0, finalRound: 0, answers: 0, joined: 0 });
    expect(board.epoch).toBeGreaterThan(before.epoch);
  });

  test("takes the same players' answers again", async () => {
    const again = { ...ann, points: 1 };
    await store.applied(
      ...first,
      created(SESSION, { liveBoard: true }),
      answered(SESSION, 1, [again]),
    );
    expect(await store.rows()).toEqual([again]);
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
    const keys = await store.redis.keys(`*:${SESSION}:*`);
    return Promise.all(keys.map((key) => store.redis.ttl(key)));
  }

  test("leaves Redis as a whole when its time has passed", async () => {
    await store.applied(...whole);
    const seconds = await timesToLive();
    // Board, scores, names, namesakes, and who answered in two rounds.
    expect(seconds).toHaveLength(6);
    for (const each of seconds) expect(each).toBeGreaterThan(3_500);
  });

  test("takes no score: each gets a letter, and the board stands", async () => {
    const { letters, metrics } = await store.applied(
      ...whole,
      outside(SESSION, 7, "cy", "50"),
      outside(SESSION, 1, "ann", "900"),
      answered(SESSION, 4, [bob]),
      laneClosed(SESSION, 4),
    );
    expect(await store.players()).toEqual(["ann", "@bob"]);
    const reason = "the session has ended, and its scores are final";
    expect(letters.map(({ entry, ...letter }) => [entry.sequence, letter])).toEqual([
      [7, { fault: "ended", reason }],
      [8, { fault: "ended", reason }],
      [9, { fault: "ended", reason }],
    ]);
    const name = "quiz_leaderboard_scores_total";
    expect(await countOf(metrics, name, { result: "outside" })).toBe(1);
    expect(await timesToLive()).toHaveLength(6);
    for (const each of await timesToLive()) expect(each).toBeGreaterThan(3_500);
  });

  test("takes no score when its board is gone either, and gets no new one", async () => {
    await store.applied(...whole);
    await store.redis.del(await store.redis.keys(`*:${SESSION}:*`));
    const { standings, letters } = makeStandings(store.redis, { over: [SESSION] });
    const late = [
      outside(SESSION, 7, "late", "900"),
      outside("q17", 1, "ann", "5"),
      joined(SESSION, ["late"]),
      outside(SESSION, 8, "late", "900"),
    ];
    const entries = stored([...whole, ...late]).slice(whole.length);
    expect(await apply(standings, PARTITION, entries)).toBe(whole.length + late.length);
    expect(await store.redis.keys(`*:${SESSION}:*`)).toEqual([]);
    expect(letters.map(({ entry }) => entry.sequence)).toEqual([7, 10]);
    expect((await shownBoard(store.redis, "q17")).rows).toHaveLength(1);
  });

  test("takes none of them along into a new session of its id", async () => {
    const again = [outside(SESSION, 1, "late", "900"), created(SESSION, { liveBoard: true })];
    await store.applied(...whole, ...again, outside(SESSION, 1, "eve", "7"));
    expect(await store.players()).toEqual(["@eve"]);
    await store.redis.flushall();
    const { standings } = makeStandings(store.redis, { over: [SESSION] });
    // The log of the first is purged, but for what came late.
    const entries = stored([...whole, ...again, outside(SESSION, 1, "eve", "7")]);
    const left = entries.slice(whole.length);
    const batch = { partition: PARTITION, after: 0, entries: left, pending: 0 };
    await standings.apply(batch, GENERATION);
    expect(await store.players()).toEqual(["@eve"]);
  });

  test("keeps its time to live, whoever comes or goes behind its end", async () => {
    await store.applied(...whole, joined(SESSION, ["cy"]), removed(SESSION, "cy"));
    for (const each of await timesToLive()) expect(each).toBeGreaterThan(3_500);
  });

  test("is forgotten by its partition once it has expired", async () => {
    const { standings } = await store.applied(...whole);
    await store.redis.del(await store.redis.keys(`*:${SESSION}:*`));
    await apply(standings, PARTITION, stored([...whole, created("q17")]).slice(-1));
    expect(await store.redis.smembers(redisKeys.sessions(PARTITION))).toEqual(["q17"]);
  });
});

test("every key is spelled as in addresses.ts", async () => {
  await store.applied(
    created(SESSION),
    joined(SESSION, ["ann"]),
    answered(SESSION, 1, [ann, bob]),
    roundClosed(SESSION, 1, [ann, bob]),
    answered(SESSION, 2, [ann]),
    removed(SESSION, "ann"),
    removed(SESSION, "ann", { banned: true }),
  );
  expect((await store.redis.keys("*")).sort()).toEqual(
    [
      redisKeys.position(PARTITION),
      redisKeys.sessions(PARTITION),
      redisKeys.board(SESSION),
      redisKeys.scores(SESSION),
      redisKeys.names(SESSION),
      redisKeys.answered(SESSION, 1),
      redisKeys.answered(SESSION, 2),
      redisKeys.hidden(SESSION, 2),
      redisKeys.namesakes(SESSION),
      redisKeys.banned(SESSION),
    ].sort(),
  );
});
