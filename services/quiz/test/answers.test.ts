/** What the fence of a lane promises: one answer per player and round, whoever writes, whatever dies. */
import { randomUUID } from "node:crypto";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  choiceOf,
  createSession,
  joinPlayers,
  type Pod,
  type Sent,
  type Stores,
  startPod,
  startStores,
  startWriter,
  submit,
  until,
  untilPhase,
} from "./pods.js";

let stores: Stores;
let pods: [Pod, Pod];
let writer: Awaited<ReturnType<typeof startWriter>>;
let sql: postgres.Sql;

beforeAll(async () => {
  stores = await startStores();
  pods = [await startPod(stores), await startPod(stores)];
  writer = await startWriter(stores);
  sql = postgres(stores.postgres.url, { max: 2 });
});

afterAll(async () => {
  await sql.end();
  await Promise.all(pods.map((pod) => pod.stop()));
  await writer.stop();
  await stores[Symbol.asyncDispose]();
});

async function openedSession(players: number, options: Parameters<typeof createSession>[1] = {}) {
  const [pod] = pods;
  const { sessionId } = await createSession(pod, options);
  const ids = await joinPlayers(pod, sessionId, players);
  await pod.client.startSession({ sessionId });
  const session = await untilPhase(pod, sessionId, Phase.OPEN, 1);
  return { session, sessionId, ids };
}

function answer(playerId: string, choice: string, elapsedMs = 1_000): Sent {
  return { playerId, submissionId: randomUUID(), choices: [choice], elapsedMs };
}

function service(pod: Pod) {
  return pod.as({ role: "service", subject: "test" });
}

test("the first answer counts, the same one gets the same verdict, another one is refused", async () => {
  const { session, ids } = await openedSession(1);
  const first = answer(ids[0] as string, choiceOf(session, "right 1"));
  const second = answer(ids[0] as string, choiceOf(session, "wrong"));
  const [a] = await submit(service(pods[0]), session, 1, [first]);
  const [b] = await submit(service(pods[1]), session, 1, [first]);
  const [c] = await submit(service(pods[1]), session, 1, [second]);
  expect(a).toMatchObject({ correct: true, points: 900, streak: 1, refused: 0 });
  expect(b).toEqual(a);
  expect(c?.refused).toBe(ErrorReason.ALREADY_ANSWERED);
});

test("two pods race for 400 players in 3 lanes: each is accepted once, the log agrees", async () => {
  const { session, sessionId, ids } = await openedSession(400, { lanes: 3 });
  const right = choiceOf(session, "right 1");
  const tries = ids.flatMap((id) => [answer(id, right), answer(id, right)]);
  const verdicts = await Promise.all(
    pods.flatMap((pod, which) => {
      const client = service(pod);
      const mine = tries.filter((_, i) => i % 2 === which);
      const slices = Array.from({ length: 20 }, (_, k) => mine.filter((_, i) => i % 20 === k));
      return slices.map(async (slice) => {
        const results = await submit(client, session, 1, slice);
        return slice.map((sent, i) => ({ sent, result: results[i] }));
      });
    }),
  );
  const accepted = verdicts.flat().filter(({ result }) => result?.refused === 0);
  expect(accepted.map(({ sent }) => sent.playerId).sort()).toEqual([...ids].sort());
  await pods[1].client.nextRound({ sessionId });
  const revealed = await untilPhase(pods[0], sessionId, Phase.REVEAL, 1);
  expect(revealed.reveal?.answers).toBe(400);
  const rows = await until(async () => {
    const found = await sql`SELECT player_id, submission_id FROM quiz.quiz_history
      WHERE session_id = ${sessionId}`;
    return found.length >= 400 && found;
  });
  const stored = new Map(rows.map((row) => [row.player_id, row.submission_id]));
  for (const { sent } of accepted) expect(stored.get(sent.playerId)).toBe(sent.submissionId);
});

test("after the close no pod can append, and a first verdict is still given again", async () => {
  const { session, sessionId, ids } = await openedSession(2);
  const right = choiceOf(session, "right 1");
  const inTime = answer(ids[0] as string, right);
  await submit(service(pods[0]), session, 1, [inTime]);
  await pods[0].client.nextRound({ sessionId });
  await untilPhase(pods[1], sessionId, Phase.REVEAL, 1);
  const [again, late] = await submit(service(pods[1]), session, 1, [
    inTime,
    answer(ids[1] as string, right),
  ]);
  expect(again).toMatchObject({ refused: 0, points: 900 });
  expect(late?.refused).toBe(ErrorReason.ROUND_CLOSED);
});

test("a broker killed in mid-answers loses nothing that was accepted and counts nothing twice", async () => {
  const { session, sessionId, ids } = await openedSession(300, { roundSeconds: 30 });
  const right = choiceOf(session, "right 1");
  const book = new Map<string, string>();
  const client = service(pods[0]);
  const play = async (id: string, index: number) => {
    const sent = answer(id, right);
    await new Promise((resolve) => setTimeout(resolve, index * 5));
    await until(async () => {
      try {
        const [result] = await submit(client, session, 1, [sent]);
        if (result?.refused === 0) book.set(id, sent.submissionId);
        return true;
      } catch {
        return false;
      }
    }, 20_000);
  };
  const playing = Promise.all(ids.map(play));
  await until(async () => book.size > 50);
  await stores.nats.kill("SIGKILL");
  await stores.nats.restart();
  await playing;
  await until(async () => {
    const [row] = await sql`SELECT count(*)::int AS n FROM quiz.quiz_history
      WHERE session_id = ${sessionId}`;
    return row?.n === book.size;
  }, 20_000);
  const rows = await sql`SELECT player_id, submission_id FROM quiz.quiz_history
    WHERE session_id = ${sessionId}`;
  expect(new Map(rows.map((row) => [row.player_id, row.submission_id]))).toEqual(book);
}, 60_000);
