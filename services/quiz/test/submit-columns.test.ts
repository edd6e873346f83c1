/** SubmitAnswers takes columns that fit each other, and nothing else. */
import { ServiceError } from "@fanfare/common/errors";
import { fromVerdictColumns, toAnswerColumns } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createSession,
  joinPlayers,
  type Pod,
  type Stores,
  startPod,
  startStores,
  submit,
  untilPhase,
} from "./pods.js";

let stores: Stores;
let pod: Pod;

beforeAll(async () => {
  stores = await startStores();
  pod = await startPod(stores);
});

afterAll(async () => {
  await pod.stop();
  await stores[Symbol.asyncDispose]();
});

async function openRound(players: number) {
  const { sessionId } = await createSession(pod, { roundSeconds: 30 }, 1);
  const ids = await joinPlayers(pod, sessionId, players);
  await pod.client.startSession({ sessionId });
  const session = await untilPhase(pod, sessionId, Phase.OPEN, 1);
  const answers = ids.map((playerId) => ({
    playerId,
    submissionId: `of-${playerId}`,
    choices: ["A"],
    elapsedMs: 100,
  }));
  return { session, answers, service: pod.as({ role: "service", subject: "test" }) };
}

async function faultOf(call: Promise<unknown>): Promise<[string | undefined, string | undefined]> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof ServiceError)) return [undefined, undefined];
  return [ErrorReason[thrown.reason], thrown.metadata.field];
}

test("columns of different lengths are refused by name, and no answer is stored", async () => {
  const { session, answers, service } = await openRound(2);
  const good = { sessionId: session.sessionId, round: 1, lane: 0, ...toAnswerColumns(answers) };
  const cases = [
    ["player_ids", { playerIds: [] }],
    ["submission_ids", { submissionIds: ["one"] }],
    ["chosen", { chosen: [0] }],
    ["chosen", { chosen: [0, 1] }],
    ["elapsed_ms", { elapsedMs: [1, 2, 3] }],
  ] satisfies [string, Partial<typeof good>][];
  for (const [field, columns] of cases) {
    const call = service.submitAnswers({ lanes: [{ ...good, ...columns }] });
    expect(await faultOf(call)).toEqual(["INVALID_FIELD", field]);
  }
  const verdicts = await submit(service, session, 1, answers);
  expect(verdicts.map(({ refused }) => refused)).toEqual([0, 0]);
});

test("a call takes a thousand answers in all, and some lane", async () => {
  const { session, answers, service } = await openRound(1);
  const lane = { sessionId: session.sessionId, round: 1, lane: 0, ...toAnswerColumns(answers) };
  const calls = [[], Array.from({ length: 1_001 }, () => lane), Array(1_001).fill({})];
  for (const lanes of calls)
    expect(await faultOf(service.submitAnswers({ lanes }))).toEqual(["INVALID_FIELD", "lanes"]);
  const { lanes } = await service.submitAnswers({ lanes: Array(1_000).fill(lane) });
  expect(lanes.flatMap(fromVerdictColumns)).toHaveLength(1_000);
  expect(lanes.flatMap(({ refused }) => refused).every((reason) => !reason)).toBe(true);
});

test("lanes of several sessions are one call, and a lane that fails fails alone", async () => {
  const [one, two] = [await openRound(2), await openRound(1)];
  const lanes = [one, two].map(({ session, answers }) => ({
    sessionId: session.sessionId,
    round: 1,
    lane: 0,
    ...toAnswerColumns(answers),
  }));
  const [first, second] = lanes as [(typeof lanes)[0], (typeof lanes)[0]];
  const unknown = { ...first, sessionId: "never" };
  const uneven = { ...first, chosen: [] };
  const reply = await one.service.submitAnswers({ lanes: [unknown, first, uneven, second] });
  expect(reply.lanes.map(({ failed, refused }) => [ErrorReason[failed], refused])).toEqual([
    ["SESSION_NOT_FOUND", []],
    ["UNSPECIFIED", [0, 0]],
    ["INVALID_FIELD", []],
    ["UNSPECIFIED", [0]],
  ]);
  expect(reply.lanes[2]?.message).toContain("chosen");
  // Nothing was done, which the call's own failure says: the first one's.
  const call = one.service.submitAnswers({ lanes: [unknown, uneven] });
  expect(await faultOf(call)).toEqual(["SESSION_NOT_FOUND", undefined]);
});

test("each answer gets its own verdict, in its own place", async () => {
  const { session, answers, service } = await openRound(4);
  const [first, second, third, fourth] = answers;
  if (!first || !second || !third || !fourth) throw new Error("four players were asked for");
  await submit(service, session, 1, [second]);
  const verdicts = await submit(service, session, 1, [
    { ...first, choices: ["Z"] },
    { ...second, submissionId: "changed" },
    third,
    { ...fourth, playerId: "nobody" },
    second,
  ]);
  expect(verdicts.map(({ refused }) => ErrorReason[refused])).toEqual([
    "CHOICE_INVALID",
    "ALREADY_ANSWERED",
    "UNSPECIFIED",
    "PLAYER_NOT_FOUND",
    "UNSPECIFIED",
  ]);
});
