/**
 * Nothing grows for ever: after many short sessions, ended by their hosts, abandoned in the lobby, or scored
 * in by outsiders alone, buckets, streams, Redis, queues and caches hold what they held before. With
 * SESSIONS=10000 it takes some minutes:
 *
 *     SESSIONS=10000 npx vitest run --project e2e e2e/many-sessions.test.ts
 */
import { setTimeout as delay } from "node:timers/promises";
import { BUCKETS, STREAMS, streamOfBucket, subjectForScore } from "@fanfare/proto/addresses";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { numberedQuestions, type Stage, startStage } from "./stage.js";

const SESSIONS = Number(process.env.SESSIONS ?? 600);
const AT_ONCE = 20;
/** Of five sessions one is abandoned in its lobby, and one is of outsiders alone. */
const KINDS = ["ended", "ended", "ended", "abandoned", "outside"] as const;

let stage: Stage;
let nc: NatsConnection;
let jsm: JetStreamManager;
let redis: Redis;
let sql: postgres.Sql;

beforeAll(async () => {
  stage = await startStage({
    env: {
      quiz: { SESSION_IDLE_S: "3" },
      history: { PURGE_AFTER_S: "0", SILENT_SESSION_S: "3" },
      leaderboard: { BOARD_TTL_S: "1" },
    },
  });
  nc = await connect({ servers: stage.stack.natsUrl });
  jsm = await jetstreamManager(nc);
  redis = new Redis(stage.stack.redisUrl);
  sql = postgres(stage.stack.postgresUrl, { max: 1 });
});

afterAll(async () => {
  redis?.disconnect();
  await sql?.end();
  await nc?.close();
  await stage?.[Symbol.asyncDispose]();
});

async function play(id: string, kind: (typeof KINDS)[number]): Promise<void> {
  if (kind === "outside") {
    nc.publish(subjectForScore({ sessionId: id, round: 1, outsider: "ann" }), "20");
    return;
  }
  const quiz = { title: "Short", questions: numberedQuestions(3) };
  await stage.quiz.createSession({ sessionId: id, source: { case: "quiz", value: quiz } });
  if (kind === "ended") await stage.quiz.endSession({ sessionId: id });
}

async function playMany(name: string, count: number): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++)
      await play(`${name}_${i}`, KINDS[i % KINDS.length] ?? "ended");
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function gauge(process: string, name: string): Promise<number> {
  const text = await (await fetch(`${stage.stack.process(process).adminUrl}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "gm"))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Keys of a bucket, without the marks of those that were removed, which go after ten minutes. */
async function keysOf(bucket: string): Promise<number> {
  const name = streamOfBucket(bucket);
  const { state } = await jsm.streams.info(name, { subjects_filter: ">" });
  let keys = 0;
  for (const subject of Object.keys(state.subjects ?? {})) {
    const last = await jsm.streams.getMessage(name, { last_by_subj: subject });
    if (last && last.data.length > 0) keys++;
  }
  return keys;
}

const messagesOf = async (stream: string) => (await jsm.streams.info(stream)).state.messages;

/** What there is of sessions; history and final standings stay, as they should. */
async function held() {
  const [queues] = await sql`SELECT
    (SELECT count(*)::int FROM quiz.sessions WHERE purged_at IS NULL) AS unpurged,
    (SELECT count(*)::int FROM quiz.sessions_to_award) AS unawarded`;
  return {
    ...queues,
    log: await messagesOf(STREAMS.log),
    boards: await messagesOf(STREAMS.leaderboard),
    redis: (await redis.keys("*")).filter((key) => !key.endsWith(":position")).length,
    sessions: await gauge("quiz-1", "quiz_sessions_active"),
    questions: await gauge("quiz-1", "quiz_frozen_cache_bytes"),
  };
}

const NOTHING = {
  unpurged: 0,
  unawarded: 0,
  log: 0,
  boards: 0,
  redis: 0,
  sessions: 0,
  questions: 0,
};

async function untilNothing(limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await held();
    if (JSON.stringify(found) === JSON.stringify(NOTHING)) return;
    if (performance.now() > deadline) return expect(found).toEqual(NOTHING);
    await delay(500);
  }
}

/** The least of some readings of the heap: what the collector has left alone. */
async function heapOf(process: string): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < 8; reading++) {
    least = Math.min(least, await gauge(process, "nodejs_heap_size_used_bytes"));
    await delay(250);
  }
  return least;
}

test(
  `${SESSIONS} short sessions leave nothing but their history`,
  async () => {
    await playMany("before", 50);
    await untilNothing(60_000);
    const pods = ["quiz-1", "history-1", "leaderboard-1"];
    const before = await Promise.all(pods.map(heapOf));
    await playMany("short", SESSIONS);
    await untilNothing(60_000 + SESSIONS * 60);
    for (const bucket of Object.values(BUCKETS))
      expect([bucket, await keysOf(bucket)]).toEqual([bucket, 0]);
    const [history] = await sql`SELECT count(*)::int AS sessions FROM quiz.sessions`;
    expect(history).toEqual({ sessions: SESSIONS + 50 });
    const after = await Promise.all(pods.map(heapOf));
    for (const [i, pod] of pods.entries()) {
      const grown = ((after[i] ?? 0) - (before[i] ?? 0)) / SESSIONS;
      process.stdout.write(`${pod}: ${Math.round(grown)} bytes of heap more for each session\n`);
    }
    // The collector takes its time: what leaks shows with more sessions, as 10 MB with ten thousand.
    for (const [i] of pods.entries()) expect((after[i] ?? 0) - (before[i] ?? 0)).toBeLessThan(40e6);
  },
  240_000 + SESSIONS * 120,
);
