/** How long answers wait for company, by a clock that is set by hand. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AnswerLanes } from "../src/adapters/answer-lanes.js";

const WINDOW_MS = 20;

let lanes: AnswerLanes;
/** Sizes of the batches that were sent. */
let sent: number[];
/** Lets the calls that are on their way return. */
let reply: () => void;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  sent = [];
  let calls: (() => void)[] = [];
  reply = () => {
    for (const call of calls) call();
    calls = [];
  };
  lanes = new AnswerLanes(
    { request: () => new Promise<never>((_, reject) => calls.push(() => reject(new Error()))) },
    { batchMs: WINDOW_MS, onBatch: (answers) => sent.push(answers), onFailed: () => {} },
  );
});

afterEach(() => {
  reply();
  vi.useRealTimers();
});

function submit(count: number): void {
  for (let i = 0; i < count; i++)
    lanes.submit({
      sessionId: "s",
      round: 1,
      lane: 0,
      playerId: `p${i}`,
      submissionId: "x",
      choices: ["A"],
      elapsedMs: 1,
      settle: () => {},
    });
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
  // The one before is on its way: what follows is held for a window of its own at most.
  vi.advanceTimersByTime(WINDOW_MS);
  expect(sent).toEqual([500, 1]);
  expect(lanes.pending).toBe(501);
});
