/** Answers that meet a close, a pause, a full log, or a lane that can't be read. */
import { STREAMS } from "@fanfare/proto/addresses";
import { toAnswerColumns } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JetStreamSessionLogs } from "../src/adapters/session-logs.js";
import type { SessionStore } from "../src/domain/ports.js";
import { submitAnswers, submitToLane } from "../src/handlers/submit-answers.js";
import {
  answerOf,
  counters,
  joined,
  pastLimits,
  reasonOf,
  replacing,
  Workshop,
} from "./handmade-pods.js";

let workshop: Workshop;

beforeAll(async () => {
  workshop = await Workshop.start();
});

afterAll(() => workshop[Symbol.asyncDispose]());

/** A session in its first round with one player, and that player's answer on its way. */
async function annIn(sessionId: string, state: Pick<Session, "phase"> & Partial<Session>) {
  const session = await workshop.makeSession(sessionId);
  const { revision } = (await workshop.store.read(sessionId)) ?? { revision: 0 };
  await workshop.logs.of(session).changePlayer("ann", joined("ann"));
  await workshop.store.replace({ ...session, round: 1, ...state }, revision);
  const answers = [{ playerId: "id-ann", submissionId: "x", choices: ["A"], elapsedMs: 1 }];
  const request = { sessionId, round: 1, lane: 0, ...toAnswerColumns(answers) } as never;
  return { session, request };
}

test("once a player was told that the round is closed, no pod takes the answer (P3)", async () => {
  const { session, request } = await annIn("closing", { phase: Phase.CLOSING });
  const { refused } = await submitToLane(workshop.pod(), request);
  expect(refused).toEqual([ErrorReason.ROUND_CLOSED]);
  const another = new JetStreamSessionLogs(workshop.bus, counters, pastLimits)
    .of(session)
    .answerLane(1, 0);
  expect(await another.submit([answerOf("id-ann")])).toMatchObject([{ kind: "closed" }]);
});

test("a full log refuses, drops nothing, and takes the same answer once there is room", async () => {
  const { request } = await annIn("full", { phase: Phase.OPEN });
  const { state } = await workshop.bus.jsm.streams.info(STREAMS.log);
  await workshop.bus.jsm.streams.update(STREAMS.log, { max_bytes: state.bytes });
  const askedAt = performance.now();
  expect(await reasonOf(submitToLane(workshop.pod(), request))).toBe("UNAVAILABLE");
  // Not tried again and again.
  expect(performance.now() - askedAt).toBeLessThan(1_000);
  const full = await workshop.bus.jsm.streams.info(STREAMS.log);
  expect([full.state.messages, full.state.first_seq]).toEqual([state.messages, state.first_seq]);
  await workshop.bus.jsm.streams.update(STREAMS.log, { max_bytes: -1 });
  expect((await submitToLane(workshop.pod(), request)).refused).toEqual([ErrorReason.UNSPECIFIED]);
});

test("a lane that can't be read in time keeps nobody waiting that it travels with", async () => {
  const [slow, quick] = [
    await annIn("slow", { phase: Phase.OPEN }),
    await annIn("quick", { phase: Phase.OPEN }),
  ];
  const sleepy = replacing<SessionStore>(workshop.store, {
    frozenQuiz: (session) =>
      session.sessionId === "slow"
        ? new Promise<never>(() => {})
        : workshop.store.frozenQuiz(session),
  });
  const lanes = [slow.request, quick.request];
  const reply = await submitAnswers(workshop.pod({ store: sleepy }), { lanes } as never);
  expect(reply.lanes).toMatchObject([
    { failed: ErrorReason.UNAVAILABLE },
    { refused: [ErrorReason.UNSPECIFIED] },
  ]);
});

test("in a pause an answer on its way is not refused for good", async () => {
  const { session, request } = await annIn("paused", { phase: Phase.OPEN, paused: true });
  expect((await submitToLane(workshop.pod(), request)).refused).toEqual([ErrorReason.UNAVAILABLE]);
  await workshop.logs
    .of(session)
    .answerLane(1, 0)
    .submit([answerOf("id-ann")]);
  expect((await submitToLane(workshop.pod(), request)).points).toEqual([1]);
});
