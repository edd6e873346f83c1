/** A broker of three servers with three copies of every stream, one of which dies at the worst time. */
import { randomUUID } from "node:crypto";
import { startPostgres } from "@fanfare/common/servers/postgres";
import { BUCKETS, STREAMS, streamOfBucket } from "@fanfare/proto/addresses";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ELECTION_LIMIT_MS, NatsCluster } from "./nats-cluster.js";
import {
  choiceOf,
  createSession,
  joinPlayers,
  type Pod,
  startPod,
  startWriter,
  submit,
  until,
  untilPhase,
} from "./pods.js";

const PLAYERS = 300;
/** P4, and what a busy machine adds. */
const CATCH_UP_LIMIT_MS = 15_000;
/** Sessions of outsiders, so many that every partition has some. */
const OUTSIDE_SESSIONS = 100;
/** P4, from the moment at which the log takes entries again. */
const READS_ON_WITHIN_MS = 5_000;

let nats: NatsCluster;
let database: Awaited<ReturnType<typeof startPostgres>>;
let pods: [Pod, Pod];
let writer: Awaited<ReturnType<typeof startWriter>>;
let sql: postgres.Sql;

beforeAll(async () => {
  [nats, database] = await Promise.all([NatsCluster.start(), startPostgres({ fsync: false })]);
  const places = { nats, postgres: database, replicas: 3 };
  pods = await Promise.all([startPod(places), startPod(places)]);
  writer = await startWriter(places);
  sql = postgres(database.url, { max: 2 });
});

afterAll(async () => {
  await sql?.end();
  await Promise.all((pods ?? []).map((pod) => pod.stop()));
  await writer?.stop();
  await Promise.all([nats, database].map((each) => each?.[Symbol.asyncDispose]()));
});

/** Repeats a request as a client does, while it is refused. */
function insist<T>(call: () => Promise<T>, onRefusal = () => {}): Promise<T> {
  return until(async () => {
    try {
      return await call();
    } catch {
      onRefusal();
      return undefined;
    }
  }, ELECTION_LIMIT_MS);
}

async function openedSession(): Promise<{ sessionId: string; ids: string[] }> {
  const { sessionId } = await createSession(pods[0], { roundSeconds: 120 });
  const ids = await joinPlayers(pods[0], sessionId, PLAYERS);
  await pods[0].client.startSession({ sessionId });
  await untilPhase(pods[0], sessionId, Phase.OPEN, 1);
  return { sessionId, ids };
}

/**
 * Each player answers once, through one of the pods in turn, until it is told what became of it.
 * Resolves with the number of refusals that were worth a retry.
 */
async function answerAll(sessionId: string, ids: readonly string[], book: Map<string, string>) {
  const session = await untilPhase(pods[1], sessionId, Phase.OPEN, 1);
  const choices = [choiceOf(session, "right 1")];
  const clients = pods.map((pod) => pod.as({ role: "service", subject: "test" }));
  let refusals = 0;
  await Promise.all(
    ids.map(async (playerId, index) => {
      // So that some answer before the leader dies, and some meanwhile.
      await new Promise((resolve) => setTimeout(resolve, index * 5));
      const sent = { playerId, submissionId: randomUUID(), choices, elapsedMs: 1_000 };
      const client = clients[index % 2] as (typeof clients)[number];
      const send = () => submit(client, session, 1, [sent]);
      const [result] = await insist(send, () => refusals++);
      if (result?.refused === 0) book.set(playerId, sent.submissionId);
    }),
  );
  return refusals;
}

/** Submission ids by player, once as many as that are in PostgreSQL. */
async function storedAnswers(sessions: string, count: number): Promise<Map<string, string>> {
  const rows = await until(async () => {
    const found = await sql`SELECT session_id, player_id, submission_id FROM quiz.quiz_history
      WHERE session_id LIKE ${sessions}`;
    return found.length >= count && found;
  }, CATCH_UP_LIMIT_MS);
  expect(rows).toHaveLength(count);
  return new Map(rows.map((row) => [row.player_id, row.submission_id]));
}

test("the death of the member that leads everything loses nothing, and play goes on", async () => {
  const { sessionId, ids } = await openedSession();
  const leader = await nats.leaderOf([STREAMS.log, streamOfBucket(BUCKETS.sessions)]);
  const book = new Map<string, string>();
  const answering = answerAll(sessionId, ids, book);
  await until(async () => book.size > 50);
  await leader.kill("SIGKILL");
  expect(await answering).toBeGreaterThan(0);
  expect(book.size).toBe(PLAYERS);

  const later = await insist(() => createSession(pods[0]));
  await insist(() => pods[1].client.startSession({ sessionId: later.sessionId }));
  await untilPhase(pods[0], later.sessionId, Phase.OPEN, 1);

  await leader.restart();
  await nats.whole(STREAMS.log);
  await pods[1].client.nextRound({ sessionId });
  const { reveal } = await untilPhase(pods[0], sessionId, Phase.REVEAL, 1);
  expect(reveal?.answers).toBe(PLAYERS);
  expect(await storedAnswers(sessionId, PLAYERS)).toEqual(book);

  // Whichever member held a partition's reader: each reads on.
  for (let i = 0; i < OUTSIDE_SESSIONS; i++)
    await nats.append(`QUIZ.outside-${i}.1.somebody`, "20");
  await storedAnswers("outside-%", OUTSIDE_SESSIONS);
}, 90_000);

test("readers that were held by the server that died read on within five seconds", async () => {
  const leader = await nats.leaderOf([STREAMS.log]);
  const publish = (session: string) =>
    Promise.all(
      Array.from({ length: OUTSIDE_SESSIONS }, (_, i) =>
        insist(async () => {
          await nats.append(`QUIZ.${session}-${i}.1.somebody`, "20");
          return true;
        }),
      ),
    );
  await publish("before");
  await storedAnswers("before-%", OUTSIDE_SESSIONS);
  await leader.kill("SIGKILL");
  await publish("after");
  const healedAt = performance.now();
  await storedAnswers("after-%", OUTSIDE_SESSIONS);
  expect(performance.now() - healedAt).toBeLessThan(READS_ON_WITHIN_MS);
  await leader.restart();
  await nats.whole(STREAMS.log);
}, 90_000);
