/** What stays of ended sessions, in PostgreSQL: their boards, and points in the global leaderboard. */

import { fileURLToPath } from "node:url";
import type { ServiceError } from "@fanfare/common/errors";
import { migrate } from "@fanfare/common/postgres";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Redis } from "ioredis";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PostgresAwards } from "../src/adapters/postgres-awards.js";
import { LeaderboardMetrics } from "../src/metrics.js";
import { answered, created, ended } from "./events.js";
import { eventually, type Pod, Stack } from "./stack.js";

const times = () => new LeaderboardMetrics().postgres;

let stack: Stack;
let sql: Sql;
let pod: Pod;

beforeAll(async () => {
  stack = await Stack.start({ postgres: true });
  sql = postgres(stack.postgres?.url ?? "", { onnotice: () => {} });
  pod = await stack.startPod();
});

afterAll(async () => {
  await sql?.end();
  await stack?.[Symbol.asyncDispose]();
});

async function reasonOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: ServiceError) => thrown,
  );
  return error ? (ErrorReason[error.reason] ?? "") : "no error";
}

/** As the quiz service's history writer makes them. */
async function makeQuizTables(): Promise<void> {
  await migrate(sql, "quiz", fileURLToPath(new URL("../../quiz/migrations", import.meta.url)));
}

interface FinalRow {
  playerId: string;
  points: number;
  elapsedMs: number;
  user?: string;
}

/** Writes a session; the rows are its final standings, in order. */
async function finish(sessionId: string, rows: FinalRow[], logStart = 1): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`INSERT INTO quiz.sessions VALUES
      (${sessionId}, ${logStart}, true, 'A quiz', 3, 'host', '{}', now(), now(), ${logStart}, now())`;
    await tx`INSERT INTO quiz.sessions_to_award VALUES (${sessionId}, ${logStart}, now())`;
    const values = rows.map(({ playerId, points, elapsedMs, user }, i) => ({
      session_id: sessionId,
      log_start: logStart,
      place: i + 1,
      player_id: playerId,
      nickname: `Nick of ${playerId}`,
      user_key: user ?? "",
      points,
      elapsed_ms: elapsedMs,
    }));
    if (values.length > 0) await tx`INSERT INTO quiz.final_standings ${tx(values)}`;
  });
}

/** The whole tally, in pages of three. */
async function globalBoard() {
  const rows = [];
  let pageToken = "";
  do {
    const page = await pod.client.getGlobalLeaderboard({ pageSize: 3, pageToken });
    rows.push(...page.standings);
    pageToken = page.nextPageToken;
  } while (pageToken);
  return rows.map(({ rank, user, points, sessions }) => [rank, user, points, sessions]);
}

/** Sessions that these pods have awarded. */
async function awardedBy(pods: readonly Pod[]): Promise<number> {
  const counts = pods.map((each) => each.count("quiz_leaderboard_awarded_sessions_total"));
  return (await Promise.all(counts)).reduce((total, count) => total + count, 0);
}

test("before anybody has made the quiz tables there is nothing to show, and no fault", async () => {
  expect(await reasonOf(pod.client.getLeaderboard({ sessionId: "quiz_1" }))).toBe("no error");
  expect(await globalBoard()).toEqual([]);
  const standings = { sessionId: "quiz_1", playerIds: ["a"] };
  expect((await pod.client.getStandings(standings)).ranks).toEqual([]);
  await makeQuizTables();
});

describe("an ended session that Redis does not hold", () => {
  const rows: FinalRow[] = [
    { playerId: "ann", points: 900, elapsedMs: 1_000 },
    ...Array.from({ length: 30 }, (_, i) => ({
      playerId: `B${i + 10}`,
      points: 500,
      elapsedMs: 2_000,
    })),
    { playerId: "b0", points: 500, elapsedMs: 2_000 },
    { playerId: "cy", points: 500, elapsedMs: 2_001 },
    { playerId: "dee", points: -5, elapsedMs: 0 },
  ];
  const ids = rows.map(({ playerId }) => playerId);

  beforeAll(() => finish("ended", rows));

  test("is read in pages from PostgreSQL", async () => {
    const seen = [];
    let pageToken = "";
    do {
      const page = await pod.client.getLeaderboard({ sessionId: "ended", pageSize: 7, pageToken });
      expect(page).toMatchObject({ ended: true, players: rows.length, epoch: 0n, finalRound: 3 });
      seen.push(...page.standings);
      pageToken = page.nextPageToken;
    } while (pageToken);
    expect(seen.map(({ playerId }) => playerId)).toEqual(ids);
    expect(seen.map(({ rank }) => rank)).toEqual(ids.map((_, i) => i + 1));
    expect(seen[0]).toMatchObject({ nickname: "Nick of ann", points: 900, elapsedMs: 1_000 });
  });

  test("is read around a player", async () => {
    const around = { sessionId: "ended", aroundPlayerId: "cy", pageSize: 4 };
    const page = await pod.client.getLeaderboard(around);
    expect(page.standings.map(({ playerId }) => playerId)).toEqual(["B39", "b0", "cy", "dee"]);
    const nobody = pod.client.getLeaderboard({ ...around, aroundPlayerId: "nobody" });
    expect(await reasonOf(nobody)).toBe("PLAYER_NOT_FOUND");
  });

  test("gives standings", async () => {
    const request = { sessionId: "ended", playerIds: ["dee", "nobody", "ann"], round: 3 };
    const found = await pod.client.getStandings(request);
    expect(found).toMatchObject({
      players: rows.length,
      finalRound: 3,
      ranks: [rows.length, 0, 1],
      points: [-5, 0, 900],
      gaps: [505, 0, 0],
    });
  });

  test("is read while Redis is away, and only such a session is", async () => {
    await stack.redis.stop();
    const page = await pod.client.getLeaderboard({ sessionId: "ended", pageSize: 1 });
    expect(page.standings).toMatchObject([{ playerId: "ann" }]);
    const standings = { sessionId: "ended", playerIds: ["ann"], round: 1 };
    expect((await pod.client.getStandings(standings)).ranks).toEqual([1]);
    const other = pod.client.getLeaderboard({ sessionId: "running" });
    expect(await reasonOf(other)).toBe("UNAVAILABLE");
    await stack.redis.restart();
    const read = () => reasonOf(pod.client.getLeaderboard({ sessionId: "running" }));
    await eventually(read, (reason) => reason === "no error");
  });

  test("goes on in PostgreSQL where a page was of Redis, and the other way round", async () => {
    const { subject, payload } = created("both");
    const { seq: start } = await stack.bus.js.publish(subject, payload);
    const scores = ["ann", "bob", "cy"].map((playerId, i) => ({
      playerId,
      points: 30 - i,
      elapsedMs: 0,
    }));
    await stack.publish(answered("both", 1, scores), ended("both"));
    await stack.awaitSnapshot("both", (board) => board.ended && board.players === 3);
    await finish("both", scores, start);
    const page = (pageToken = "") =>
      pod.client.getLeaderboard({ sessionId: "both", pageSize: 1, pageToken });
    const first = await page();
    expect(first.epoch).not.toBe(0n);
    await stack.redis.stop();
    const second = await page(first.nextPageToken);
    expect(second).toMatchObject({ epoch: 0n, standings: [{ playerId: "bob", rank: 2 }] });
    await stack.redis.restart();
    await eventually(
      async () => (await page().catch(() => undefined))?.epoch,
      (epoch) => epoch !== undefined && epoch !== 0n,
    );
    const third = await page(second.nextPageToken);
    expect(third).toMatchObject({ standings: [{ playerId: "cy", rank: 3 }], nextPageToken: "" });
  });

  test("gives way to a new session of the same id", async () => {
    await stack.publish(created("ended"));
    await stack.awaitSnapshot("ended", ({ players }) => players === 0);
    const page = await pod.client.getLeaderboard({ sessionId: "ended" });
    expect(page).toMatchObject({ standings: [], ended: false });
    const redis = new Redis(stack.redis.url);
    await redis.flushall();
    redis.disconnect();
    // The log still tells of it, so it comes back by itself.
    const ended = async () => (await pod.client.getLeaderboard({ sessionId: "ended" })).ended;
    await eventually(ended, (isEnded) => !isEnded);
  });

  test("is the last of its id, and nothing while that one's standings are not there", async () => {
    await finish("twice", [{ playerId: "old", points: 1, elapsedMs: 1 }], 1);
    await finish("twice", [{ playerId: "new", points: 1, elapsedMs: 1 }], 9);
    const read = async () => (await pod.client.getLeaderboard({ sessionId: "twice" })).standings;
    expect(await read()).toMatchObject([{ playerId: "new" }]);
    await sql`INSERT INTO quiz.sessions VALUES
      ('twice', 20, true, 'A quiz', 3, 'host', '{}', now())`;
    expect(await read()).toEqual([]);
  });
});

describe("the global leaderboard", () => {
  test("gives each ended session's first five their points once, with several pods at work", async () => {
    await eventually(globalBoard, (rows) => rows.length > 0);
    await sql`TRUNCATE quiz.sessions, quiz.sessions_to_award, quiz.final_standings, leaderboard.awards,
      leaderboard.tally CASCADE`;
    const other = await stack.startPod("pod-b");
    const before = await awardedBy([pod, other]);
    const users = ["zoe", "ann", "Bob", "cy", "dee", "eve", "fay"];
    const sessions = Array.from({ length: 250 }, (_, i) => `session${i}`);
    for (const [i, sessionId] of sessions.entries()) {
      // Who is where goes round, so that all but the last two come first, second, … in turn.
      const rows = users.map((_, place) => {
        const user = place < 5 ? users[(place + i) % 5] : users[place];
        return { playerId: `p${place}`, points: 100 - place, elapsedMs: 0, user: user ?? "" };
      });
      await finish(sessionId, rows);
    }
    await finish("without-players", []);
    // More hands than pods: whoever comes second finds nothing to give.
    const hands = [1, 2, 3].map(() => new PostgresAwards(sql, [5, 4, 3, 2, 1], times()));
    const given = await Promise.all(hands.map((each) => each.award()));
    const sum = (rows: unknown[][]) => rows.reduce((total, row) => total + Number(row[2]), 0);
    const board = await eventually(globalBoard, (rows) => sum(rows) === 250 * 15);
    expect(board).toEqual([
      [1, "Bob", 750, 250],
      [2, "ann", 750, 250],
      [3, "cy", 750, 250],
      [4, "dee", 750, 250],
      [5, "zoe", 750, 250],
    ]);
    const byPods = async () => (await awardedBy([pod, other])) - before;
    const byHands = given.reduce((total, count) => total + count, 0);
    await eventually(byPods, (count) => count + byHands === 251);
    await Promise.all(hands.map((each) => each.award()));
    expect(await globalBoard()).toEqual(board);
    await other.stop();
  });

  test("tells an outsider from the user of that name", async () => {
    await finish("strangers", [
      { playerId: "@gil", points: 20, elapsedMs: 0, user: "@gil" },
      { playerId: "gil", points: 10, elapsedMs: 0, user: "gil" },
      { playerId: "p1", points: 5, elapsedMs: 0, user: "@@gil" },
    ]);
    const gils = async () => {
      const { standings } = await pod.client.getGlobalLeaderboard({ pageSize: 1_000 });
      return standings.filter(({ user }) => user.endsWith("gil"));
    };
    expect(await eventually(gils, ({ length }) => length === 3)).toMatchObject([
      { user: "gil", outside: true, points: 5 },
      { user: "gil", outside: false, points: 4 },
      { user: "@gil", outside: false, points: 3 },
    ]);
    const board = await pod.client.getLeaderboard({ sessionId: "strangers" });
    expect(board.standings.map(({ playerId, outside }) => [playerId, outside])).toEqual([
      ["gil", true],
      ["gil", false],
      ["p1", false],
    ]);
    for (const [aroundOutside, points] of [
      [true, 20],
      [false, 10],
    ] as const) {
      const around = { sessionId: "strangers", aroundPlayerId: "gil", aroundOutside, pageSize: 1 };
      expect((await pod.client.getLeaderboard(around)).standings).toMatchObject([{ points }]);
      const asked = { sessionId: "strangers", playerIds: ["gil"], outside: aroundOutside };
      expect((await pod.client.getStandings(asked)).points).toEqual([points]);
    }
  });

  test("waits for the final standings, and takes the player where no user is known", async () => {
    await sql`INSERT INTO quiz.sessions VALUES
      ('late', 1, true, 'A quiz', 3, 'host', '{}', now(), now())`;
    const award = () => new PostgresAwards(sql, [7], times()).award();
    await award();
    const ofLate = () =>
      sql`SELECT user_key, points FROM leaderboard.awards WHERE session_id = 'late'`;
    expect(await ofLate()).toHaveLength(0);
    await sql.begin(async (tx) => {
      await tx`INSERT INTO quiz.final_standings VALUES ('late', 1, 1, 'gus', 'Gus', '', 10, 1)`;
      await tx`UPDATE quiz.sessions SET finalized_at = now() WHERE session_id = 'late'`;
      await tx`INSERT INTO quiz.sessions_to_award VALUES ('late', 1, now())`;
    });
    await eventually(
      async () => [...(await ofLate())],
      (rows) => rows.length === 1 && rows[0]?.user_key === "gus",
    );
  });

  test("takes the points back, and gives them anew, where somebody was banned behind the end", async () => {
    const rows = ["hal", "ida", "jon", "kim", "lee", "mia"].map((user, i) => ({
      playerId: `p-${user}`,
      points: 100 - i,
      elapsedMs: 0,
      user,
    }));
    const tallyOf = async (...users: string[]) => {
      const { standings } = await pod.client.getGlobalLeaderboard({ pageSize: 1_000 });
      return users.map((user) => {
        const row = standings.find((each) => each.user === user);
        return row && [row.points, row.sessions];
      });
    };
    await finish("clean", [rows[0] as FinalRow]);
    await finish("banned", rows);
    const before = await eventually(
      () => tallyOf("hal", "ida", "mia"),
      ([hal, ida]) => hal?.[1] === 2 && ida !== undefined,
    );
    expect(before).toEqual([[10, 2], [4, 1], undefined]);
    const other = await stack.startPod("pod-c");
    await sql.begin(async (tx) => {
      await tx`DELETE FROM quiz.final_standings WHERE session_id = 'banned' AND place = 1`;
      await tx`UPDATE quiz.final_standings SET place = place + 100 WHERE session_id = 'banned'`;
      await tx`UPDATE quiz.final_standings SET place = place - 101 WHERE session_id = 'banned'`;
      await tx`INSERT INTO quiz.sessions_to_award VALUES ('banned', 1, clock_timestamp())`;
    });
    const moved = () => tallyOf("hal", "ida", "mia");
    expect(await eventually(moved, ([hal]) => hal?.[1] === 1)).toEqual([
      [5, 1],
      [5, 1],
      [1, 1],
    ]);
    await sql.begin(async (tx) => {
      await tx`DELETE FROM quiz.final_standings WHERE session_id = 'clean'`;
      await tx`INSERT INTO quiz.sessions_to_award VALUES ('clean', 1, clock_timestamp())`;
    });
    // Who has no points of any session left stands nowhere.
    expect(await eventually(moved, ([hal]) => hal === undefined)).toEqual([
      undefined,
      [5, 1],
      [1, 1],
    ]);
    await other.stop();
  });

  test("refuses cursors that are not its own", async () => {
    const page = pod.client.getGlobalLeaderboard({ pageToken: "not ours" });
    expect(await reasonOf(page)).toBe("INVALID_FIELD");
    expect(await reasonOf(pod.client.getGlobalLeaderboard({ pageSize: 1_001 }))).toBe(
      "INVALID_FIELD",
    );
  });

  test("is UNAVAILABLE while PostgreSQL is away, and there again after it", async () => {
    const before = await globalBoard();
    await stack.postgres?.kill("SIGKILL");
    const read = () => reasonOf(pod.client.getGlobalLeaderboard({}, { timeoutMs: 20_000 }));
    expect(await read()).toBe("UNAVAILABLE");
    await stack.postgres?.restart();
    await eventually(read, (reason) => reason === "no error", 20_000);
    expect(await globalBoard()).toEqual(before);
  });
});
