/** Pages, neighbourhoods and ranks of a board of 20,000 players, and what is refused. */

import { create } from "@bufbuild/protobuf";
import type { ServiceError } from "@fanfare/common/errors";
import { pause } from "@fanfare/common/lifecycle";
import { STREAMS } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import {
  GetLeaderboardRequestSchema,
  type Standing,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { boardToken } from "../src/domain/page-token.js";
import {
  type Answer,
  answered,
  created,
  joined,
  nickname,
  outside,
  type Published,
  roundClosed,
} from "./events.js";
import { type ReferenceRow, referenceBoards } from "./reference-board.js";
import { eventually, type Pod, Stack, tokenOf } from "./stack.js";

const SESSION = "quiz_1";
const PLAYERS = 20_000;

let stack: Stack;
let pod: Pod;
let order: ReferenceRow[];

/** Few different points and times, so that most places are decided by the id. */
function answersOf(round: number): Answer[] {
  return Array.from({ length: PLAYERS }, (_, i) => ({
    playerId: `player${(i * 7_919 + round) % PLAYERS}`,
    points: ((i * 31) % 5) * 100,
    elapsedMs: ((i * 17) % 3) * 1_000,
  }));
}

function roundOf(sessionId: string, round: number): Published[] {
  const answers = answersOf(round);
  const batches = Array.from({ length: 40 }, (_, i) => answers.slice(i * 500, i * 500 + 500));
  return [
    ...batches.map((batch) => answered(sessionId, round, batch)),
    roundClosed(sessionId, round, answers),
  ];
}

beforeAll(async () => {
  stack = await Stack.start();
  pod = await stack.startPod();
  const log = [created(SESSION), joined(SESSION, ["player7"]), ...roundOf(SESSION, 1)];
  await stack.publish(...log);
  await stack.awaitSnapshot(SESSION, ({ finalRound }) => finalRound === 1, 30_000);
  order = referenceBoards(log).get(SESSION)?.rows ?? [];
});

afterAll(() => stack?.[Symbol.asyncDispose]());

function idsOf(standings: readonly Pick<Standing, "playerId">[]): string[] {
  return standings.map(({ playerId }) => playerId);
}

async function reasonOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: ServiceError) => thrown,
  );
  return error ? (ErrorReason[error.reason] ?? "") : "no error";
}

describe("a page of a board", () => {
  test("begins at the top, with a nickname where one is known", async () => {
    const page = await pod.client.getLeaderboard({ sessionId: SESSION, pageSize: 1_000 });
    expect(idsOf(page.standings)).toEqual(idsOf(order.slice(0, 1_000)));
    expect(page.standings.map(({ rank }) => rank)).toEqual(
      order.slice(0, 1_000).map((_, i) => i + 1),
    );
    expect(page).toMatchObject({ players: PLAYERS, finalRound: 1, ended: false });
    const around = { sessionId: SESSION, aroundPlayerId: "player7", pageSize: 1 };
    const [row] = (await pod.client.getLeaderboard(around)).standings;
    expect(row).toMatchObject({ playerId: "player7", nickname: nickname("player7") });
    expect(page.standings[0]?.nickname).toBe(page.standings[0]?.playerId);
  });

  test("goes on where the last one ended, through all ties, to the end", async () => {
    const seen: Standing[] = [];
    let pageToken = "";
    do {
      const page = await pod.client.getLeaderboard({
        sessionId: SESSION,
        pageSize: 997,
        pageToken,
      });
      seen.push(...page.standings);
      pageToken = page.nextPageToken;
    } while (pageToken);
    expect(idsOf(seen)).toEqual(idsOf(order));
    expect(seen.map(({ rank }) => rank)).toEqual(order.map((_, i) => i + 1));
  });

  test("has a hundred rows where no size is asked for", async () => {
    expect((await pod.client.getLeaderboard({ sessionId: SESSION })).standings).toHaveLength(100);
  });

  test("is of the state of the page before, or refused once rows have moved", async () => {
    const id = "moving";
    const scores = ["a", "b", "c", "d", "e"].map((user, i) =>
      outside(id, 1, user, `${50 - i * 10}`),
    );
    await stack.publish(...scores);
    await stack.awaitSnapshot(id, ({ players }) => players === 5);
    const page = (pageToken = "") =>
      pod.client.getLeaderboard({ sessionId: id, pageSize: 2, pageToken });
    const first = await page();
    expect(idsOf(first.standings)).toEqual(["a", "b"]);
    const second = await page(first.nextPageToken);
    expect(idsOf(second.standings)).toEqual(["c", "d"]);
    // What was counted before moves nothing; a row that falls, and one that comes in above, do.
    await stack.publish(outside(id, 1, "a", "77"));
    await stack.publish(outside(id, 2, "b", "-35"), outside(id, 2, "f", "99"));
    await stack.awaitSnapshot(id, ({ players }) => players === 6);
    for (const { nextPageToken } of [first, second])
      expect(await reasonOf(page(nextPageToken))).toBe("BOARD_CHANGED");
    const again = await page();
    expect(idsOf(again.standings)).toEqual(["f", "a"]);
    expect(idsOf((await page(again.nextPageToken)).standings)).toEqual(["c", "d"]);
  });

  test("follows the one before whatever the totals are, up and down", async () => {
    const id = "giants";
    const totals = [3e9, 2 ** 24 + 1, 2 ** 24, 7, 0, -1, -(2 ** 24) - 1, -3e9];
    const scores = totals.flatMap((total, who) => {
      const rounds = Math.max(1, Math.ceil(Math.abs(total) / 1e6));
      return Array.from({ length: rounds }, (_, round) => {
        const points = Math.trunc(total / rounds) + (round === 0 ? total % rounds : 0);
        return outside(id, round + 1, `who${who}`, `${points}`);
      });
    });
    for (let from = 0; from < scores.length; from += 500)
      await Promise.all(scores.slice(from, from + 500).map((each) => stack.publish(each)));
    const sum = async () => (await pod.client.getLeaderboard({ sessionId: id })).standings.length;
    await eventually(sum, (rows) => rows === totals.length);
    await stack.publish(outside(id, 99_999, "last", "-999999"));
    await stack.awaitSnapshot(id, ({ players }) => players === totals.length + 1);
    const points: number[] = [];
    let pageToken = "";
    do {
      const page = await pod.client.getLeaderboard({ sessionId: id, pageSize: 1, pageToken });
      points.push(...page.standings.map((row) => row.points));
      pageToken = page.nextPageToken;
    } while (pageToken);
    const bound = 2 ** 31 - 1;
    const order = [bound, 2 ** 24 + 1, 2 ** 24, 7, 0, -1, -999_999, -(2 ** 24) - 1, -bound];
    expect(points).toEqual(order);
  }, 60_000);

  test("of a session that nobody has heard of asks PostgreSQL, and says when that is away", async () => {
    expect(await reasonOf(pod.client.getLeaderboard({ sessionId: "never" }))).toBe("UNAVAILABLE");
  });
});

describe("the rows around a player", () => {
  test.each([
    [0, 0],
    [1, 0],
    [10_000, 9_995],
    [PLAYERS - 1, PLAYERS - 6],
  ])("from index %i begin at index %i", async (index, first) => {
    const aroundPlayerId = order[index]?.playerId ?? "";
    const request = { sessionId: SESSION, aroundPlayerId, pageSize: 10 };
    const page = await pod.client.getLeaderboard(request);
    expect(idsOf(page.standings)).toEqual(idsOf(order.slice(first, first + 10)));
    expect(page.standings[0]?.rank).toBe(first + 1);
  });

  test("of somebody without a score are refused", async () => {
    const request = { sessionId: SESSION, aroundPlayerId: "nobody" };
    expect(await reasonOf(pod.client.getLeaderboard(request))).toBe("PLAYER_NOT_FOUND");
  });
});

describe("standings", () => {
  test("give 20,000 players their ranks in one call, in the order that was asked", async () => {
    const playerIds = Array.from({ length: PLAYERS - 1 }, (_, i) => `player${i}`);
    const request = { sessionId: SESSION, playerIds: ["nobody", ...playerIds], round: 1 };
    const found = await pod.client.getStandings(request);
    expect(found).toMatchObject({ players: PLAYERS, finalRound: 1 });
    const ranks = new Map(order.map(({ playerId }, i) => [playerId, i + 1]));
    const expected = ["nobody", ...playerIds].map((playerId) => ranks.get(playerId) ?? 0);
    expect(found.ranks).toEqual(expected);
    for (const [index, rank] of expected.entries()) {
      const points = order[rank - 1]?.points ?? 0;
      expect(found.points[index]).toBe(points);
      expect(found.gaps[index]).toBe(rank < 2 ? 0 : (order[rank - 2]?.points ?? 0) - points);
    }
  });

  test("wait for the round to be closed, then say who won places", async () => {
    const id = "climbing";
    const first = [
      { playerId: "ann", points: 30, elapsedMs: 1 },
      { playerId: "bob", points: 20, elapsedMs: 1 },
      { playerId: "cy", points: 10, elapsedMs: 1 },
    ];
    await stack.publish(created(id), answered(id, 1, first), roundClosed(id, 1, first));
    const playerIds = ["ann", "bob", "cy"];
    const before = await pod.client.getStandings({ sessionId: id, playerIds, round: 1 });
    expect(before).toMatchObject({ ranks: [1, 2, 3], changes: [0, 0, 0] });
    const second = [{ playerId: "cy", points: 100, elapsedMs: 1 }];
    await stack.publish(answered(id, 2, second));
    const asked = performance.now();
    const waiting = pod.client.getStandings({ sessionId: id, playerIds, round: 2 });
    await stack.publish(roundClosed(id, 2, second));
    const after = await waiting;
    expect(performance.now() - asked).toBeLessThan(1_500);
    expect(after).toMatchObject({
      finalRound: 2,
      ranks: [2, 3, 1],
      changes: [-1, -1, 2],
      points: [30, 20, 110],
      gaps: [80, 10, 0],
    });
  });

  test("wait for a board that is not there yet, also without PostgreSQL", async () => {
    const id = "not_yet";
    const scores = [{ playerId: "ann", points: 30, elapsedMs: 1 }];
    const asked = pod.client.getStandings({ sessionId: id, playerIds: ["ann"], round: 1 });
    const ended = asked.then(
      () => "answered",
      () => "refused",
    );
    expect(await Promise.race([ended, pause(300).then(() => "waits")])).toBe("waits");
    await stack.publish(created(id), answered(id, 1, scores), roundClosed(id, 1, scores));
    expect(await asked).toMatchObject({ finalRound: 1, ranks: [1], points: [30] });
  });

  test("answer with what is there where the round does not close within two seconds", async () => {
    const asked = performance.now();
    const found = await pod.client.getStandings({
      sessionId: SESSION,
      playerIds: ["player1"],
      round: 9,
    });
    expect(performance.now() - asked).toBeGreaterThan(1_900);
    expect(found).toMatchObject({ finalRound: 1, ranks: [expect.any(Number)] });
    expect(found.ranks[0]).toBeGreaterThan(0);
  });

  test("say which scores of the log a live board holds", async () => {
    const id = "live_positions";
    const answer = { playerId: "ann", points: 30, elapsedMs: 1 };
    await stack.publish(created(id, { liveBoard: true }), answered(id, 1, [answer]));
    const position = async () => {
      const { state } = await stack.bus.jsm.streams.info(STREAMS.log);
      return BigInt(state.last_seq);
    };
    const first = await position();
    await stack.awaitSnapshot(id, ({ answers }) => answers === 1);
    const request = { sessionId: id, playerIds: ["ann"] };
    const found = await pod.client.getStandings(request);
    expect(found).toMatchObject({
      finalRound: 0,
      scoresFrom: first,
      scoresTo: first,
      points: [30],
    });
    await stack.publish(answered(id, 1, [{ ...answer, playerId: "bob" }]));
    await stack.awaitSnapshot(id, ({ answers }) => answers === 2);
    const second = await position();
    const after = await pod.client.getStandings(request);
    expect(after).toMatchObject({ scoresFrom: second, scoresTo: second });
  });

  test("of hidden scores are those of the last closed round, also when asked by many at once", async () => {
    const id = "hiding";
    const answer = { playerId: "ann", points: 30, elapsedMs: 1 };
    await stack.publish(created(id), answered(id, 1, [answer]), roundClosed(id, 1, [answer]));
    await stack.publish(answered(id, 2, [answer]));
    await stack.awaitSnapshot(id, ({ round }) => round === 2);
    const request = { sessionId: id, playerIds: ["ann"] };
    const found = await Promise.all(
      Array.from({ length: 20 }, () => pod.client.getStandings(request)),
    );
    for (const each of found) expect(each).toMatchObject({ points: [30], ranks: [1] });
  });
});

describe("a request that is refused", () => {
  const board = (request: Parameters<Pod["client"]["getLeaderboard"]>[0]) =>
    reasonOf(pod.client.getLeaderboard(request));

  test.each([
    [{ sessionId: "" }],
    [{ sessionId: "a.b" }],
    [{ sessionId: "*" }],
    [{ sessionId: "é" }],
    [{ sessionId: "x".repeat(65) }],
    [{ sessionId: SESSION, pageSize: 1_001 }],
    [{ sessionId: SESSION, pageToken: "not ours" }],
    [{ sessionId: SESSION, pageToken: `${boardToken({ state: "a", rank: 1 })}A` }],
    [{ sessionId: SESSION, aroundPlayerId: "a b" }],
  ])("%j holds an invalid field", async (request) => {
    expect(await board(create(GetLeaderboardRequestSchema, request))).toBe("INVALID_FIELD");
  });

  test.each([
    [{ sessionId: SESSION, playerIds: [] }],
    [{ sessionId: SESSION, playerIds: Array(20_001).fill("a") }],
    [{ sessionId: "a b", playerIds: ["a"] }],
  ])("standings of an invalid request %#", async (request) => {
    expect(await reasonOf(pod.client.getStandings(request))).toBe("INVALID_FIELD");
  });

  test("comes from a role that may not ask", async () => {
    const standings = { sessionId: SESSION, playerIds: ["player1"] };
    const as = (role: Parameters<typeof tokenOf>[0], boundTo?: string) => ({
      token: tokenOf(role, boundTo),
    });
    const { client } = pod;
    for (const role of ["player", "spectator", "author"] as const) {
      expect(await reasonOf(client.getStandings(standings, as(role)))).toBe("FORBIDDEN");
      expect(await board({ sessionId: SESSION })).toBe("no error");
    }
    expect(await reasonOf(client.getStandings(standings, as("host", "another")))).toBe("FORBIDDEN");
    expect(await reasonOf(client.getStandings(standings, as("host", SESSION)))).toBe("no error");
    for (const role of ["player", "host", "service"] as const)
      expect(await reasonOf(client.rebuildLeaderboard({ sessionId: SESSION }, as(role)))).toBe(
        "FORBIDDEN",
      );
    const noToken = { sessionId: SESSION };
    expect(await reasonOf(client.getLeaderboard(noToken, { token: "forged" }))).toBe(
      "UNAUTHENTICATED",
    );
  });
});

test("a rebuild on request gives the same board again", async () => {
  const before = await stack.snapshot(SESSION);
  const request = { sessionId: SESSION };
  const { partition } = await pod.client.rebuildLeaderboard(request, { token: tokenOf("admin") });
  expect(partition).toBe(0);
  const after = await stack.awaitSnapshot(
    SESSION,
    ({ epoch, finalRound }) => epoch > (before?.epoch ?? 0n) && finalRound === 1,
    30_000,
  );
  expect(after.standings).toEqual(before?.standings);
  expect(after.version).toBe(before?.version);
  expect(await pod.count("quiz_leaderboard_rebuilds_total", { reason: "requested" })).toBe(1);
  const rebuilds = () => pod.count("quiz_leaderboard_rebuild_duration_seconds_count");
  await eventually(rebuilds, (count) => count === 1);
});

test("while Redis is away reads are refused as retryable, and the pod stays ready", async () => {
  await stack.redis.stop();
  const read = () => reasonOf(pod.client.getLeaderboard({ sessionId: SESSION }));
  await eventually(read, (reason) => reason === "UNAVAILABLE");
  const standings = { sessionId: SESSION, playerIds: ["player1"], round: 5 };
  expect(await reasonOf(pod.client.getStandings(standings))).toBe("UNAVAILABLE");
  const rebuild = pod.client.rebuildLeaderboard(
    { sessionId: SESSION },
    { token: tokenOf("admin") },
  );
  expect(await reasonOf(rebuild)).toBe("UNAVAILABLE");
  expect((await fetch(`http://127.0.0.1:${pod.adminPort}/readyz`)).status).toBe(200);
  await stack.redis.restart();
  await eventually(read, (reason) => reason === "no error");
});
