/** How long answers wait for company, and what travels with what, by a clock that is set by hand. */

import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { SubmitAnswersRequest } from "@fanfare/proto/quiz/v1/quiz_service";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AnswerLanes } from "../src/adapters/answer-lanes.js";
import type { PendingAnswer } from "../src/domain/service-ports.js";

const WINDOW_MS = 20;

interface Call {
  key: string | undefined;
  lanes: SubmitAnswersRequest["lanes"];
  settle(reply: { lanes: object[] } | Error): void;
}

let lanes: AnswerLanes;
/** Sizes of the batches that were sent. */
let sent: number[];
/** Calls on their way. */
let calls: Call[];
let faults: unknown[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  [sent, calls, faults] = [[], [], []];
  const request = (key: string | undefined, ask: (client: never) => Promise<unknown>) =>
    ask({
      submitAnswers: ({ lanes }: SubmitAnswersRequest) =>
        new Promise((resolve, reject) =>
          calls.push({
            key,
            lanes,
            settle: (reply) => (reply instanceof Error ? reject(reply) : resolve(reply)),
          }),
        ),
    } as never);
  lanes = new AnswerLanes(
    // The pod of a key is its session's first letter.
    { request: request as never, ownerOf: (key) => key[0] },
    {
      batchMs: WINDOW_MS,
      onBatch: (answers) => sent.push(answers),
      onFailed: (error) => faults.push(error),
    },
  );
});

afterEach(() => {
  vi.useRealTimers();
});

/** Submits; what was settled appears in the list that is returned. */
function submit(count: number, sessionId = "s", lane = 0, span?: PendingAnswer["span"]): unknown[] {
  const settled: unknown[] = [];
  for (let i = 0; i < count; i++)
    lanes.submit({
      sessionId,
      round: 1,
      lane,
      playerId: `p${i}`,
      submissionId: "x",
      choices: ["A"],
      elapsedMs: 1,
      span,
      settle: (verdict) => settled.push(verdict),
    });
  return settled;
}

/** The verdicts of a lane that took all. */
function accepted(count: number) {
  const zeros = Array<number>(count).fill(0);
  return { refused: zeros, points: zeros, correct: Array(count).fill(true), streaks: zeros };
}

test("a few answers wait for one window", () => {
  submit(19);
  vi.advanceTimersByTime(WINDOW_MS - 1);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(sent).toEqual([19]);
});

test("a crowd's answers wait for a second window, with those that come meanwhile", () => {
  submit(20);
  vi.advanceTimersByTime(WINDOW_MS);
  submit(30);
  vi.advanceTimersByTime(WINDOW_MS - 1);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(sent).toEqual([50]);
});

test("a full batch waits for nothing", () => {
  submit(501);
  expect(sent).toEqual([500]);
  vi.advanceTimersByTime(WINDOW_MS);
  expect(sent).toEqual([500, 1]);
  expect(lanes.pending).toBe(501);
});

test("an answer that comes late in a window goes with it", () => {
  submit(1);
  vi.advanceTimersByTime(WINDOW_MS - 1);
  submit(1, "t");
  vi.advanceTimersByTime(1);
  expect(sent).toEqual([1, 1]);
  vi.advanceTimersByTime(10 * WINDOW_MS);
  expect(calls).toHaveLength(2);
});

test("lanes of one pod are one call, and each gets its own verdicts", async () => {
  const first = submit(2, "alpha");
  const second = submit(1, "alpha", 1);
  const third = submit(1, "amber");
  submit(1, "beta");
  vi.advanceTimersByTime(WINDOW_MS);
  expect(calls.map((call) => call.lanes.map((each) => [each.sessionId, each.lane]))).toEqual([
    [
      ["alpha", 0],
      ["alpha", 1],
      ["amber", 0],
    ],
    [["beta", 0]],
  ]);
  expect(calls.map(({ key }) => key)).toEqual(["alpha:0", "beta:0"]);
  const failed = { ...accepted(0), failed: ErrorReason.CONFLICT, message: "another session" };
  calls[0]?.settle({ lanes: [accepted(2), failed, accepted(1)] });
  await vi.waitFor(() => expect(third).toHaveLength(1));
  expect(first).toMatchObject([{ correct: true }, { correct: true }]);
  expect(second).toEqual([undefined]);
  expect(faults).toMatchObject([{ message: "another session", reason: ErrorReason.CONFLICT }]);
  expect(lanes.pending).toBe(1);
});

test("a lane whose pod has lost the log is offered once more, by itself", async () => {
  const [first, second] = [submit(1, "alpha"), submit(1, "amber")];
  vi.advanceTimersByTime(WINDOW_MS);
  const away = { ...accepted(0), failed: ErrorReason.UNAVAILABLE, message: "the log is away" };
  calls[0]?.settle({ lanes: [away, accepted(1)] });
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  expect(calls[1]?.lanes.map(({ sessionId }) => sessionId)).toEqual(["alpha"]);
  // The others do not wait for it.
  expect(second).toMatchObject([{ correct: true }]);
  calls[1]?.settle({ lanes: [accepted(1)] });
  await vi.waitFor(() => expect(first).toMatchObject([{ correct: true }]));
  expect(second).toMatchObject([{ correct: true }]);
  expect(faults).toEqual([]);
  expect(lanes.pending).toBe(0);
});

test("a lane says whether one of its answers is traced", () => {
  submit(1, "alpha");
  submit(1, "amber", 0, {} as never);
  vi.advanceTimersByTime(WINDOW_MS);
  expect(calls[0]?.lanes.map(({ traced }) => traced)).toEqual([false, true]);
});

test("a call that fails leaves every answer of its lanes to be sent again", async () => {
  const [first, second] = [submit(2, "alpha"), submit(1, "amber")];
  vi.advanceTimersByTime(WINDOW_MS);
  calls[0]?.settle(new Error("no pod"));
  await vi.waitFor(() => expect(second).toHaveLength(1));
  expect([...first, ...second]).toEqual([undefined, undefined, undefined]);
  expect(lanes.pending).toBe(0);
});

test("a reply that lacks a lane leaves its answers to be sent again", async () => {
  const [first, second] = [submit(1, "alpha"), submit(1, "amber")];
  vi.advanceTimersByTime(WINDOW_MS);
  calls[0]?.settle({ lanes: [accepted(1)] });
  await vi.waitFor(() => expect(second).toEqual([undefined]));
  expect(first).toMatchObject([{ correct: true }]);
});

test("a call brings no more answers than the service takes", () => {
  for (let session = 0; session < 120; session++) submit(19, `a${session}`);
  vi.advanceTimersByTime(WINDOW_MS);
  const sizes = calls.map((call) =>
    call.lanes.reduce((total, { playerIds }) => total + playerIds.length, 0),
  );
  expect(sizes).toEqual([52 * 19, 52 * 19, 16 * 19]);
});
