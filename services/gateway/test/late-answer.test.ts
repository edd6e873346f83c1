/** Answers at the wrong time, and answers whose outcome is not known. */
import { NO_TIME_MS } from "@fanfare/proto/answer-columns";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { until } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

test("an answer after the time limit and its grace is refused for good once the log says so", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1, 20, { timeLimitMs: 150, answerGraceMs: 100 });
  await ann.next("question");
  const shownAt = performance.now();
  await until("the time to be over", () => performance.now() - shownAt > 300);
  ann.answer(1, "A", "a1");
  expect(await ann.next("refused")).toMatchObject({
    reason: "ERROR_REASON_UNAVAILABLE",
    retryable: true,
    requestId: "a1",
  });
  await backstage.reveal(sessionId, 1);
  ann.answer(1, "A", "a1");
  expect(await ann.next("refused")).toMatchObject({
    reason: "ERROR_REASON_ROUND_CLOSED",
    retryable: false,
    requestId: "a1",
  });
});

test("an answer sent again when the next question is open has its first verdict, through any gateway", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  ann.answer(1, "A", "a1");
  await ann.next("accepted");
  await backstage.reveal(sessionId, 1);
  const shownAt = performance.now();
  await backstage.openRound(sessionId, 2);
  const other = await suite.startGateway();
  const back = suite.use(await other.resume(ann.resumeToken));
  back.answer(1, "A", "a1");
  expect(await back.next("accepted")).toEqual({ round: 1, submissionId: "a1" });
  expect(backstage.director.batches.at(-1)?.[0]?.elapsedMs).toBe(NO_TIME_MS);
  back.answer(1, "B", "never sent before");
  expect(await back.next("refused")).toMatchObject({ reason: "ERROR_REASON_INVALID_FIELD" });
  back.answer(1, "B", "never-sent-before");
  expect(await back.next("refused")).toMatchObject({ reason: "ERROR_REASON_ALREADY_ANSWERED" });
  // The answer to the open question keeps the time of its first try, whatever is asked of the past.
  backstage.director.quizIsAway = true;
  const first = performance.now();
  back.answer(2, "A", "b1");
  await back.next("refused", 2_500);
  backstage.director.quizIsAway = false;
  back.answer(1, "A", "a1");
  await back.next("accepted");
  await until("some time", () => performance.now() - first > 500);
  back.answer(2, "A", "b1");
  await back.next("accepted");
  expect(backstage.director.batches.at(-1)?.[0]?.elapsedMs).toBeLessThan(first - shownAt + 100);
});

test.each([
  ["of a round that is over", 1],
  ["of a round that has not come", 3],
])("an answer %s is refused", async (_, round) => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 2);
  await ann.next("question");
  ann.answer(round, "A", "a1");
  const { reason } = await ann.next("refused");
  expect(reason).toBe(round === 1 ? "ERROR_REASON_ROUND_CLOSED" : "ERROR_REASON_ROUND_NOT_OPEN");
});

test("an answer without a verdict is refused as retryable; sent again after the round it finds out", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  let release = () => {};
  backstage.director.answersGate = new Promise((resolve) => {
    release = resolve;
  });
  const sentAt = performance.now();
  ann.answer(1, "A", "a1");
  expect(await ann.next("refused")).toMatchObject({
    reason: "ERROR_REASON_UNAVAILABLE",
    retryable: true,
    requestId: "a1",
  });
  expect(performance.now() - sentAt).toBeLessThan(2_200);
  // The service has stored it all the same.
  release();
  await until("it to be stored", () => backstage.director.session(sessionId).answers.size === 1);
  const first = backstage.director.session(sessionId).answers.get(`1 ${ann.playerId}`)?.elapsedMs;
  await backstage.reveal(sessionId, 1);
  await ann.next("reveal");
  ann.answer(1, "A", "a1");
  expect(await ann.next("accepted")).toEqual({ round: 1, submissionId: "a1" });
  expect(backstage.director.batches.at(-1)?.[0]?.elapsedMs).toBe(first);
});

test("while the log is away answers are refused within 2 s, and the retry is accepted", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  backstage.director.quizIsAway = true;
  ann.answer(1, "A", "a1");
  expect(await ann.next("refused", 2_500)).toMatchObject({ reason: "ERROR_REASON_UNAVAILABLE" });
  backstage.director.quizIsAway = false;
  ann.answer(1, "A", "a1");
  expect(await ann.next("accepted")).toEqual({ round: 1, submissionId: "a1" });
});

test("a retry with another choice is a new answer with its own time", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  const shownAt = performance.now();
  backstage.director.quizIsAway = true;
  ann.answer(1, "B", "a1");
  await ann.next("refused");
  backstage.director.quizIsAway = false;
  await until("time to think", () => performance.now() - shownAt > 200);
  ann.answer(1, "A", "a1");
  await ann.next("accepted");
  expect(backstage.director.batches.at(-1)?.[0]?.elapsedMs).toBeGreaterThan(190);
});

test("an answer sent in time may still arrive while the round is closing", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  await backstage.putSession(sessionId, { phase: Phase.CLOSING });
  ann.answer(1, "A", "a1");
  expect(await ann.next("accepted")).toEqual({ round: 1, submissionId: "a1" });
});
