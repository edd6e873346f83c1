/** From the log to the board that everybody sees, through a real broker and store. */
import { fromJsonString } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { STREAMS, subjectForDeadLetter, subjectForLeaderboard } from "@fanfare/proto/addresses";
import {
  DeadLetterSchema,
  type LeaderboardChanged,
  LeaderboardChangedSchema,
} from "@fanfare/proto/events/v1/events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type Answer,
  answered,
  created,
  ended,
  joined,
  laneClosed,
  nickname,
  outside,
  roundClosed,
} from "./events.js";
import { eventually, type Pod, Stack, tokenOf } from "./stack.js";

let stack: Stack;
let pod: Pod;
/** Each test has its own session. */
let session: string;
let sessions = 0;

beforeAll(async () => {
  stack = await Stack.start();
  pod = await stack.startPod();
});

afterAll(() => stack?.[Symbol.asyncDispose]());

beforeEach(() => {
  session = `session_${++sessions}`;
});

const ann: Answer = { playerId: "ann", points: 900, elapsedMs: 2_000 };
const bob: Answer = { playerId: "bob", points: 0, elapsedMs: 3_000 };

function rowsOf(board: LeaderboardChanged) {
  return board.standings.map(({ playerId, points, rank }) => [rank, playerId, points]);
}

test("a session is told from its creation to its end", async () => {
  await stack.publish(created(session), joined(session, ["ann", "bob"]));
  const lobby = await stack.awaitSnapshot(session, (board) => board.joined === 2);
  expect(lobby).toMatchObject({ sessionId: session, players: 0, round: 0, ended: false });

  await stack.publish(answered(session, 1, [bob]), answered(session, 1, [ann]));
  const open = await stack.awaitSnapshot(session, (board) => board.answers === 2);
  expect(open).toMatchObject({ standings: [], players: 0, round: 1, finalRound: 0 });

  await stack.publish(laneClosed(session, 1), roundClosed(session, 1, [ann, bob]));
  const revealed = await stack.awaitSnapshot(session, (board) => board.finalRound === 1);
  expect(revealed.standings).toMatchObject([
    { ...ann, nickname: nickname("ann"), rank: 1 },
    { ...bob, nickname: nickname("bob"), rank: 2 },
  ]);

  await stack.publish(ended(session));
  const last = await stack.awaitSnapshot(session, (board) => board.ended);
  expect(rowsOf(last)).toEqual(rowsOf(revealed));
  expect([lobby, open, revealed].map(({ epoch }) => epoch)).toEqual(Array(3).fill(last.epoch));
  const versions = [lobby, open, revealed, last].map(({ version }) => Number(version));
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
});

test("an outside score is on the board within a second, a second one is ignored and counted", async () => {
  const outcome = (name: string) => pod.count("quiz_leaderboard_scores_total", { result: name });
  const [outsideBefore, duplicatesBefore] = [await outcome("outside"), await outcome("duplicate")];
  // As `nats pub` does it: no acknowledgement, no header.
  stack.bus.nc.publish(`QUIZ.${session}.1.someusername`, "20");
  const board = await stack.awaitSnapshot(session, ({ players }) => players === 1, 1_000);
  expect(rowsOf(board)).toEqual([[1, "someusername", 20]]);
  stack.bus.nc.publish(`QUIZ.${session}.1.someusername`, "500");
  stack.bus.nc.publish(`QUIZ.${session}.2.someusername`, "-5.0");
  const later = await stack.awaitSnapshot(session, ({ round }) => round === 2);
  expect(rowsOf(later)).toEqual([[1, "someusername", 15]]);
  expect(await outcome("outside")).toBe(outsideBefore + 2);
  expect(await outcome("duplicate")).toBe(duplicatesBefore + 1);
});

test("garbage becomes a dead letter with its reason, once, and stops nobody", async () => {
  await stack.publish(
    outside(session, 1, "ann", "garbage"),
    { subject: `QUIZ.${session}.1._tomorrow`, payload: "{}" },
    { subject: `QUIZ.${session}.1._0`, payload: '{"answers":' },
    outside(session, 1, "ann", "20"),
  );
  const before = await stack.awaitSnapshot(session, ({ players }) => players === 1);
  // Read again, the same entries are the same letters.
  await pod.client.rebuildLeaderboard({ sessionId: session }, { token: tokenOf("admin") });
  await stack.awaitSnapshot(session, ({ epoch, players }) => epoch > before.epoch && players === 1);
  const letters = await deadLettersOf(session);
  expect(letters.map(({ subject, reason }) => [subject, reason])).toEqual([
    [`QUIZ.${session}.1.ann`, "not a decimal number"],
    [
      `QUIZ.${session}.1._tomorrow`,
      expect.stringContaining("_tomorrow is not an entry kind that this version knows"),
    ],
    [`QUIZ.${session}.1._0`, expect.stringContaining("JSON")],
  ]);
  expect(new TextDecoder().decode(letters[0]?.content)).toBe("garbage");
  const count = await pod.count("quiz_events_dead_lettered_total", { reason: "subject" });
  expect(count).toBeGreaterThanOrEqual(1);
});

test("what is published to another subject gets a letter that says which there are", async () => {
  const odd = [
    `QUIZ.${session}.1.first.last`,
    `QUIZ.${session}.1.jane@example.org`,
    `QUIZ.${session}.1`,
    `QUIZ.${session}`,
    `QUIZ.${session}.1.*`,
  ];
  for (const subject of odd) await stack.bus.nc.request(subject, "20", { timeout: 2_000 });
  await stack.publish(outside(session, 1, "ann", "20"));
  await stack.awaitSnapshot(session, (board) => board.players === 1);
  const letters = await eventually(
    () => deadLettersOf(session),
    ({ length }) => length === odd.length,
  );
  expect(letters.map(({ subject }) => subject).sort()).toEqual(odd.sort());
  for (const { reason } of letters)
    expect(reason).toContain(
      "scores go to QUIZ.<session>.<round>.<user>: session and user 1 to 64",
    );
});

async function deadLettersOf(sessionId: string) {
  const { state } = await stack.bus.jsm.streams.info(STREAMS.deadLetters);
  const letters = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const stored = await stack.bus.jsm.streams.getMessage(STREAMS.deadLetters, { seq });
    expect(stored?.subject).toBe(subjectForDeadLetter("leaderboard"));
    letters.push(fromJsonString(DeadLetterSchema, stored?.string() ?? ""));
  }
  return letters.filter(({ subject }) => `${subject}.`.startsWith(`QUIZ.${sessionId}.`));
}

test("snapshots of a busy session come at most ten a second, and the last one for sure", async () => {
  const heard: { at: number; board: LeaderboardChanged }[] = [];
  const listening = stack.bus.nc.subscribe(subjectForLeaderboard(session), {
    callback: (error, message) => {
      if (error) throw error;
      const board = fromJsonString(LeaderboardChangedSchema, message.string());
      heard.push({ at: performance.now(), board });
    },
  });
  const players = Array.from({ length: 400 }, (_, i) => `player${i}`);
  const coalesced = () => pod.count("quiz_leaderboard_coalesced_triggers_total");
  const before = await coalesced();
  const startedAt = performance.now();
  for (const playerId of players) await stack.publish(outside(session, 1, playerId, "20"));
  await stack.awaitSnapshot(session, (board) => board.answers === players.length);
  const seconds = (performance.now() - startedAt) / 1_000;
  listening.unsubscribe();
  expect(heard.at(-1)?.board.answers).toBe(players.length);
  // The first at once, then one each 100 ms, and the last.
  expect(heard.length).toBeLessThanOrEqual(2 + seconds * 10);
  const versions = heard.map(({ board }) => Number(board.version));
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  expect(heard.at(-1)?.board.standings).toHaveLength(100);
  // All others went along with one of these.
  expect((await coalesced()) - before).toBeGreaterThanOrEqual(players.length - heard.length);
  for (const { board } of heard) {
    const [since, taken] = [board.changedSince, board.takenAt].map((at) => at && timestampMs(at));
    expect(Number(taken) - Number(since)).toBeGreaterThanOrEqual(-5);
    expect(Number(taken) - Number(since)).toBeLessThan(5_000);
  }
});

test("a message of somebody else on the snapshot's subject is replaced by the next snapshot", async () => {
  await stack.bus.js.publish(subjectForLeaderboard(session), "1732406400");
  await stack.publish(outside(session, 1, "ann", "20"));
  const last = async () => {
    const query = { last_by_subj: subjectForLeaderboard(session) };
    return (await stack.bus.jsm.streams.getMessage(STREAMS.leaderboard, query))?.string() ?? "";
  };
  await expect.poll(last, { timeout: 5_000 }).toContain(session);
});

test("the rounds' own counts agree with the boards, and the pod tells how it does", async () => {
  await stack.publish(created(session), answered(session, 1, [ann, bob]));
  await stack.publish(roundClosed(session, 1, [ann, bob]));
  await stack.awaitSnapshot(session, (board) => board.finalRound === 1);
  expect(await pod.count("quiz_audit_runs_total")).toBeGreaterThanOrEqual(1);
  expect(await pod.count("quiz_audit_mismatches_total")).toBe(0);
  expect(await pod.count("quiz_event_partitions")).toBe(16);
  expect(await pod.count("quiz_event_consumer_lag")).toBe(0);
  expect(await pod.count("quiz_leaderboard_publish_delay_seconds_count")).toBeGreaterThan(0);
  expect(await pod.count("quiz_leaderboard_snapshots_total")).toBeGreaterThan(0);
});
