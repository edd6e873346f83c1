/** Answers that come, or come again, when their round is over: the log decides, for good. */
import { randomUUID } from "node:crypto";
import { NO_TIME_MS } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  choiceOf,
  createSession,
  joinPlayers,
  numberedQuiz,
  type Pod,
  type Sent,
  type Stores,
  startPod,
  startStores,
  submit,
  untilPhase,
} from "./pods.js";

let stores: Stores;
let pods: [Pod, Pod];

beforeAll(async () => {
  stores = await startStores();
  pods = [await startPod(stores), await startPod(stores)];
});

afterAll(async () => {
  await Promise.all(pods.map((pod) => pod.stop()));
  await stores[Symbol.asyncDispose]();
});

const service = (pod: Pod) => pod.as({ role: "service", subject: "test" });

async function opened(players: number, questions = 2, options = {}) {
  const [pod] = pods;
  const { sessionId } = await createSession(pod, { roundSeconds: 60, ...options }, questions);
  const ids = await joinPlayers(pod, sessionId, players);
  await pod.client.startSession({ sessionId });
  return { sessionId, ids, session: await untilPhase(pod, sessionId, Phase.OPEN, 1) };
}

function answer(session: Session, playerId = "", elapsedMs = 1_000): Sent {
  const choices = [choiceOf(session, `right ${session.round}`)];
  return { playerId, submissionId: randomUUID(), choices, elapsedMs };
}

async function nextRound(sessionId: string, round: number): Promise<Session> {
  await pods[0].client.nextRound({ sessionId });
  await untilPhase(pods[1], sessionId, Phase.REVEAL, round);
  await pods[0].client.nextRound({ sessionId });
  return untilPhase(pods[1], sessionId, Phase.OPEN, round + 1);
}

test("an answer is found in the log rounds later, by a pod that never saw its round", async () => {
  const { session, sessionId, ids } = await opened(2, 4);
  const first = answer(session, ids[0]);
  const [stored] = await submit(service(pods[0]), session, 1, [first]);
  for (const round of [1, 2, 3]) await nextRound(sessionId, round);
  const fresh = await startPod(stores);
  const again = { ...first, elapsedMs: NO_TIME_MS };
  const never = answer(session, ids[1], NO_TIME_MS);
  for (const pod of [fresh, pods[1]]) {
    const [found, refused] = await submit(service(pod), session, 1, [again, never]);
    expect(found).toEqual(stored);
    expect(refused?.refused).toBe(ErrorReason.ROUND_CLOSED);
  }
  await pods[0].client.endSession({ sessionId });
  await untilPhase(pods[1], sessionId, Phase.ENDED);
  const [found, refused] = await submit(service(fresh), session, 1, [again, never]);
  expect(found).toEqual(stored);
  expect(refused?.refused).toBe(ErrorReason.ROUND_CLOSED);
  await fresh.stop();
});

test("while the lane is open nobody is told for good that the time is over", async () => {
  const { session, sessionId, ids } = await opened(2);
  const late = answer(session, ids[0], 60_501);
  const [told] = await submit(service(pods[1]), session, 1, [late]);
  expect(told?.refused).toBe(ErrorReason.UNAVAILABLE);
  // It was sent in time through another gateway, and this is how it comes in.
  const [counts] = await submit(service(pods[0]), session, 1, [{ ...late, elapsedMs: 2_000 }]);
  expect(counts).toMatchObject({ refused: ErrorReason.UNSPECIFIED, correct: true });
  const [again] = await submit(service(pods[1]), session, 1, [late]);
  expect(again).toEqual(counts);
  const never = answer(session, ids[1], NO_TIME_MS);
  await pods[0].client.nextRound({ sessionId });
  await untilPhase(pods[1], sessionId, Phase.REVEAL, 1);
  const [refused] = await submit(service(pods[1]), session, 1, [never]);
  expect(refused?.refused).toBe(ErrorReason.ROUND_CLOSED);
});

test("an answer to a question that was skipped before it opened is refused", async () => {
  const { sessionId } = await createSession(pods[0], { readingSeconds: 30 }, 3);
  const [playerId] = await joinPlayers(pods[0], sessionId, 1);
  await pods[0].client.startSession({ sessionId });
  await untilPhase(pods[0], sessionId, Phase.READING, 1);
  await pods[0].client.skipRound({ sessionId });
  const session = await untilPhase(pods[0], sessionId, Phase.READING, 2);
  const sent = { playerId: playerId as string, submissionId: "s", choices: ["A"] };
  const [refused] = await submit(service(pods[1]), session, 1, [{ ...sent, elapsedMs: 100 }]);
  expect(refused?.refused).toBe(ErrorReason.ROUND_CLOSED);
});

test("the grace of the pod that made a session holds at every pod", async () => {
  const generous = await startPod(stores, undefined, { ANSWER_GRACE_MS: "3000" });
  const { sessionId } = await createSession(generous, { roundSeconds: 60 });
  const ids = await joinPlayers(generous, sessionId, 2);
  await generous.client.startSession({ sessionId });
  const session = await untilPhase(pods[0], sessionId, Phase.OPEN, 1);
  expect(session.answerGraceMs).toBe(3_000);
  const [inGrace, after] = await submit(service(pods[0]), session, 1, [
    answer(session, ids[0], 62_900),
    answer(session, ids[1], 63_100),
  ]);
  expect(inGrace?.refused).toBe(ErrorReason.UNSPECIFIED);
  expect(after?.refused).toBe(ErrorReason.UNAVAILABLE);
  await generous.stop();
});

test("answers are found by round, and the lanes say whether more can come", async () => {
  const { session, sessionId, ids } = await opened(3, 3, { lanes: 2 });
  const sent = answer(session, ids[1]);
  await submit(service(pods[0]), session, 1, [sent]);
  const find = (round: number) =>
    service(pods[1]).findAnswers({ sessionId, round, playerIds: ids });
  const resume = async (round: number) =>
    (await service(pods[1]).resumeSession({ sessionId, round, playerIds: ids })).results;
  expect(await find(1)).toMatchObject({
    places: [1],
    answers: [{ round: 1, submissionId: sent.submissionId, points: 992 }],
    final: false,
  });
  expect((await resume(1)).map(({ answer: found, final }) => [found?.round, final])).toEqual([
    [undefined, false],
    [1, false],
    [undefined, false],
  ]);
  // The pod that is asked has not heard of the next round yet, or has it: both find what was asked for.
  await nextRound(sessionId, 1);
  await nextRound(sessionId, 2);
  expect(await find(1)).toMatchObject({ places: [1], final: true });
  expect(await find(3)).toMatchObject({ places: [], final: false });
  expect((await resume(1)).map(({ answer: found, final }) => [found?.round, final])).toEqual([
    [undefined, true],
    [1, true],
    [undefined, true],
  ]);
  expect((await resume(0)).map(({ answer: found, final }) => [found?.round, final])).toEqual([
    [undefined, false],
    [undefined, false],
    [undefined, false],
  ]);
});

test("a join that was held up is refused in the next session of its id", async () => {
  const { sessionId, logStart } = await createSession(pods[0], {});
  const joins = [{ nickname: "ann", submissionId: "a" }];
  await pods[0].client.endSession({ sessionId });
  await untilPhase(pods[1], sessionId, Phase.ENDED);
  const { session } = await pods[0].client.createSession({
    sessionId,
    source: { case: "quiz", value: numberedQuiz(1) },
    replaceEnded: true,
  });
  const late = await service(pods[1]).joinSession({ sessionId, logStart, joins });
  expect(late.results).toMatchObject([{ refused: ErrorReason.SESSION_ENDED }]);
  const now = { sessionId, logStart: session?.logStart ?? 0n, joins };
  const [first] = (await service(pods[1]).joinSession(now)).results;
  expect(first).toMatchObject({ again: false, player: { nickname: "ann" } });
  const [again] = (await service(pods[0]).joinSession(now)).results;
  expect(again).toMatchObject({ again: true, player: { playerId: first?.player?.playerId } });
});
