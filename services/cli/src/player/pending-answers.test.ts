import { create } from "@bufbuild/protobuf";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { RefusedSchema } from "@fanfare/proto/gateway/v1/frames";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ClientFrameInit } from "./frames.js";
import { PendingAnswers } from "./pending-answers.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function answersOf() {
  const sent: ClientFrameInit[] = [];
  const answers = new PendingAnswers(
    (frame) => sent.push(frame),
    () => 0.5,
  );
  return { answers, sent };
}

function refused(reason: ErrorReason, retryable: boolean, retryAfterMs = 0) {
  return create(RefusedSchema, { requestId: "s1", reason, retryable, retryAfterMs, message: "no" });
}

describe("an answer on its way", () => {
  test("is accepted once the server says so", async () => {
    const { answers, sent } = answersOf();
    const verdict = answers.submit(3, ["B"], { submissionId: "s1" });
    await vi.advanceTimersByTimeAsync(12);
    answers.accepted({ submissionId: "s1" });
    expect(await verdict).toEqual({ kind: "accepted", ackMs: 12, attempts: 1 });
    expect(sent).toEqual([
      { case: "answer", value: { round: 3, choices: ["B"], submissionId: "s1" } },
    ]);
  });

  test("is sent again, the same, when no reply comes", async () => {
    const { answers, sent } = answersOf();
    void answers.submit(3, ["B"], { submissionId: "s1" });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
  });

  test("is sent again after the time that a retryable refusal asks for", async () => {
    const { answers, sent } = answersOf();
    void answers.submit(3, ["B"], { submissionId: "s1" });
    answers.refused(refused(ErrorReason.UNAVAILABLE, true, 400));
    await vi.advanceTimersByTimeAsync(449);
    expect(sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toHaveLength(2);
  });

  test("ends with a refusal that a retry can't help", async () => {
    const { answers, sent } = answersOf();
    const verdict = answers.submit(3, ["B"], { submissionId: "s1" });
    answers.refused(refused(ErrorReason.ROUND_CLOSED, false));
    expect(await verdict).toMatchObject({ kind: "refused", reason: ErrorReason.ROUND_CLOSED });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(1);
  });

  test("is sent again at once after a reconnect", () => {
    const { answers, sent } = answersOf();
    void answers.submit(3, ["B"], { submissionId: "s1" });
    answers.resend();
    expect(sent).toHaveLength(2);
  });

  test("stays unknown when its time is up", async () => {
    const { answers } = answersOf();
    const verdict = answers.submit(3, ["B"], { submissionId: "s1", limitMs: 11_000 });
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await verdict).toEqual({ kind: "unknown", attempts: 3 });
  });

  test("stays unknown when the player leaves", async () => {
    const { answers } = answersOf();
    const verdict = answers.submit(3, ["B"], { submissionId: "s1" });
    answers.abandon();
    expect(await verdict).toEqual({ kind: "unknown", attempts: 1 });
  });

  test("ignores verdicts on other answers", async () => {
    const { answers, sent } = answersOf();
    void answers.submit(3, ["B"], { submissionId: "s1" });
    answers.accepted({ submissionId: "s2" });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toHaveLength(2);
  });
});
