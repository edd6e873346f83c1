import { create } from "@bufbuild/protobuf";
import { laneOf } from "@fanfare/proto/addresses";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { FrozenQuizSchema, Pacing, SessionOptionsSchema } from "@fanfare/proto/quiz/v1/session";
import { describe, expect, test } from "vitest";
import type { RecordedAnswer, SessionRecord } from "./record.js";
import { compareBoards, createRequest, planRound } from "./replay-plan.js";

const LIMIT_MS = 20_000;

function recordOf(answers: RecordedAnswer[], lanes = 1): SessionRecord {
  const question = (type: QuestionType, texts: string[], answer: string[]) => ({
    question: {
      type,
      text: "?",
      options: texts.map((text, i) => ({ choice: "ABCD"[i] ?? "", text })),
      points: 500,
    },
    answer,
    timeLimitMs: LIMIT_MS,
    penalty: 7,
  });
  return {
    sessionId: "s",
    title: "T",
    rounds: 2,
    options: create(SessionOptionsSchema, {
      lanes,
      pacing: Pacing.AUTO,
      readingSeconds: 5,
      playersMax: 1,
      startsAt: { seconds: 1n },
    }),
    quiz: create(FrozenQuizSchema, {
      questions: [
        question(QuestionType.MULTIPLE_CHOICE, ["d", "b", "a"], ["A", "C"]),
        question(QuestionType.TRUE_FALSE, ["Ja", "Nein"], ["B"]),
      ],
    }),
    players: [
      { playerId: "x", nickname: "X", status: 1 },
      { playerId: "y", nickname: "Y", status: 1 },
    ],
    answers,
    outside: [],
    board: [],
  };
}

const answer = (elapsedMs: number, playerId = `p${elapsedMs}`, round = 1): RecordedAnswer => ({
  ...{ round, playerId, elapsedMs, submissionId: `s-${playerId}`, choices: ["A"], points: 0 },
});

test("a replay asks the same questions in the same order, and leads them itself", () => {
  const { source, options } = createRequest(recordOf([]), "again");
  expect(source?.value).toMatchObject({
    title: "T",
    questions: [
      { options: ["d", "b", "a"], answer: ["d", "a"], seconds: 20, points: 500, penalty: 7 },
      { options: ["Ja", "Nein"], answer: ["false"] },
    ],
  });
  expect(options).toMatchObject({
    keepOptionOrder: true,
    pacing: Pacing.HOST,
    readingSeconds: 0,
    playersMax: 2,
  });
  expect(options).not.toHaveProperty("startsAt");
});

describe("planRound", () => {
  test("answers keep their times, sped up, and those of 20 ms travel together", () => {
    const record = recordOf([answer(4_000), answer(1_000), answer(1_150), answer(9, "z", 2)]);
    const at = (speed: number) =>
      planRound(record, 1, speed).map(({ atMs, answers }) => [atMs, answers.length]);
    expect(at(1)).toEqual([
      [1_000, 1],
      [1_150, 1],
      [4_000, 1],
    ]);
    expect(at(10)).toEqual([
      [100, 2],
      [400, 1],
    ]);
  });

  test("the answer time that counts is the recorded one at any speed", () => {
    const [batch] = planRound(recordOf([answer(12_345)]), 1, 100);
    expect(batch?.answers[0]?.elapsedMs).toBe(12_345);
  });

  test("answers of the last moment are sent before the close can meet them", () => {
    expect(planRound(recordOf([answer(LIMIT_MS)]), 1, 1)[0]?.atMs).toBe(LIMIT_MS - 500);
  });

  test("a batch holds one lane and at most a thousand", () => {
    const answers = Array.from({ length: 4_000 }, (_, i) => answer(700, `p${i}`));
    const batches = planRound(recordOf(answers, 3), 1, 1);
    expect(batches.flatMap((batch) => batch.answers)).toHaveLength(4_000);
    for (const { lane, answers } of batches) {
      expect(answers.length).toBeLessThanOrEqual(1_000);
      for (const { playerId } of answers) expect(laneOf(playerId, 3)).toBe(lane);
    }
  });
});

test("boards are compared in order, points, times and names", () => {
  const row = { playerId: "x", outside: false, nickname: "X", points: 5, elapsedMs: 3, rank: 1 };
  expect(compareBoards([row], [{ ...row }])).toEqual([]);
  for (const other of [
    { points: 6 },
    { elapsedMs: 4 },
    { nickname: "Y" },
    { playerId: "y" },
    { outside: true },
  ])
    expect(compareBoards([row], [{ ...row, ...other }])).toHaveLength(1);
  expect(compareBoards([row], [])).toEqual([
    "recorded: 1. X (x) with 5 points in 3 ms; replayed: nobody",
  ]);
});
