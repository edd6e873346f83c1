/** Scores behind the end of a session whose board has left Redis: on real servers, whatever still knows it. */
import {
  partitionOf,
  redisKeys,
  STREAMS,
  storedSessionSubjects,
  subjectForDeadLetter,
} from "@fanfare/proto/addresses";
import { Redis } from "ioredis";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { answered, created, ended, outside, removed, roundClosed } from "./events.js";
import { SESSION as ANY, ann } from "./redis-store.js";
import { eventually, type Pod, Stack } from "./stack.js";

let stack: Stack;
let sql: Sql;
let redis: Redis;
let pod: Pod;
let count = 0;
let session = ANY;

beforeAll(async () => {
  stack = await Stack.start({ postgres: true });
  sql = postgres(stack.postgres?.url ?? "", { onnotice: () => {} });
  redis = new Redis(stack.redis.url);
  await sql`CREATE SCHEMA quiz`;
  await sql`CREATE TABLE quiz.sessions (
    session_id text, log_start bigint, created boolean, rounds int, ended_at timestamptz,
    finalized_at timestamptz, PRIMARY KEY (session_id, log_start))`;
  await sql`CREATE TABLE quiz.final_standings (
    session_id text, log_start bigint, place int, player_id text, nickname text, user_key text,
    points int, elapsed_ms bigint, PRIMARY KEY (session_id, log_start, place))`;
  pod = await stack.startPod();
});

afterAll(async () => {
  redis?.disconnect();
  await sql?.end();
  await stack?.[Symbol.asyncDispose]();
});

/** A session that was played to its end; then its board leaves Redis. */
beforeEach(async () => {
  session = `played_${++count}`;
  await stack.publish(created(session), answered(session, 1, [ann]));
  await stack.publish(roundClosed(session, 1, [ann]), ended(session));
  await stack.awaitSnapshot(session, (board) => board.ended);
  await redis.del(await keys());
});

const keys = () => redis.keys(`*:${session}:*`);
const lateLetters = () => pod.count("quiz_events_dead_lettered_total", { reason: "ended" });

/** As the history writer leaves it. */
async function store(): Promise<void> {
  await sql`INSERT INTO quiz.sessions VALUES (${session}, 1, true, 1, now(), now())`;
  await sql`INSERT INTO quiz.final_standings VALUES
    (${session}, 1, 1, 'ann', 'Ann', 'ann', ${ann.points}, ${ann.elapsedMs})`;
}

async function purge(): Promise<void> {
  await stack.bus.jsm.streams.purge(STREAMS.log, { filter: storedSessionSubjects(session) });
}

/** Publishes a late score, and waits until it was passed over, with a letter. */
async function scoreLate(): Promise<void> {
  const { subject, payload } = outside(session, 1, "late", "900");
  const { seq } = await stack.bus.js.publish(subject, payload);
  const place = () => redis.hget(redisKeys.position(partitionOf(session)), "sequence");
  await eventually(place, (at) => Number(at) >= seq);
  const query = { last_by_subj: subjectForDeadLetter("leaderboard") };
  const letter = await stack.bus.jsm.streams.getMessage(STREAMS.deadLetters, query);
  expect(letter?.json()).toMatchObject({ sequence: String(seq) });
}

test("the log knows of the end: no board begins", async () => {
  await scoreLate();
  expect(await keys()).toEqual([]);
});

test("PostgreSQL knows of the end once the log is purged: the stored board stays what is shown", async () => {
  await store();
  await purge();
  await scoreLate();
  expect(await keys()).toEqual([]);
  const board = await pod.client.getLeaderboard({ sessionId: session });
  expect(board.standings.map(({ playerId, points }) => [playerId, points])).toEqual([["ann", 900]]);
});

test("a ban takes the last snapshot along, so that who comes is shown what PostgreSQL has", async () => {
  await stack.publish(removed(session, "ann", { banned: true }));
  await eventually(
    () => stack.snapshot(session),
    (snapshot) => snapshot === undefined,
  );
  expect(await keys()).toEqual([]);
});

test("an emptied Redis that reads the log again comes to the same", async () => {
  await store();
  await scoreLate();
  await purge();
  await stack.publish(outside(session, 2, "late", "900"));
  await redis.flushall();
  const scores = () => pod.count("quiz_leaderboard_rebuilds_total", { reason: "empty" });
  await eventually(scores, (rebuilds) => rebuilds > 0);
  // Something of the same partition, read after it.
  await stack.publish(outside(session, 3, "late", "900"));
  await eventually(
    async () => (await lateLetters()) >= 3,
    (isSo) => isSo,
  );
  expect(await keys()).toEqual([]);
});

test("a new session of the id begins without them, and one that nobody created begins as ever", async () => {
  await store();
  await scoreLate();
  await stack.publish(created(session, { liveBoard: true }), outside(session, 1, "eve", "7"));
  const again = await stack.awaitSnapshot(session, (board) => board.players > 0 && !board.ended);
  expect(again.standings.map(({ playerId }) => playerId)).toEqual(["eve"]);
  await stack.publish(outside(`${session}_alone`, 1, "eve", "7"));
  await stack.awaitSnapshot(`${session}_alone`, (board) => board.players === 1);
});

test("while PostgreSQL is away, boards of sessions that nobody created begin all the same", async () => {
  await stack.postgres?.stop();
  await stack.publish(outside(`${session}_alone`, 1, "eve", "7"));
  await stack.awaitSnapshot(`${session}_alone`, (board) => board.players === 1);
  // What the log has needs no PostgreSQL.
  await scoreLate();
  expect(await keys()).toEqual([]);
  await stack.postgres?.restart();
});
