import { create } from "@bufbuild/protobuf";
import { ScoringFormula, SessionOptionsSchema } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { type AnswerFacts, awardPoints } from "./scoring.js";

const right: AnswerFacts = {
  correct: true,
  elapsedMs: 0,
  timeLimitMs: 20_000,
  points: 1_000,
  penalty: 0,
  streakBefore: 0,
};
const options = (init: Parameters<typeof create<typeof SessionOptionsSchema>>[1]) =>
  create(SessionOptionsSchema, init);

test.each([
  [ScoringFormula.SPEED, 0, 1_000],
  [ScoringFormula.SPEED, 500, 1_000],
  [ScoringFormula.SPEED, 501, 987],
  [ScoringFormula.SPEED, 10_000, 750],
  [ScoringFormula.SPEED, 20_000, 500],
  [ScoringFormula.SPEED, 20_400, 500],
  [ScoringFormula.LINEAR, 500, 1_000],
  [ScoringFormula.LINEAR, 10_000, 500],
  [ScoringFormula.LINEAR, 20_000, 0],
  [ScoringFormula.FLAT, 19_999, 1_000],
])("formula %s at %i ms gives %i points", (scoring, elapsedMs, points) => {
  expect(awardPoints({ ...right, elapsedMs }, options({ scoring })).points).toBe(points);
});

test("a wrong answer costs the penalty and ends the streak", () => {
  const wrong = { ...right, correct: false, streakBefore: 4 };
  expect(awardPoints(wrong, options({}))).toEqual({ points: 0, streak: 0 });
  expect(awardPoints({ ...wrong, penalty: 250 }, options({}))).toEqual({ points: -250, streak: 0 });
});

test.each([
  [0, 0],
  [1, 100],
  [3, 300],
  [9, 500],
])("a streak of %i before adds %i, up to five steps", (streakBefore, bonus) => {
  const scored = awardPoints({ ...right, streakBefore }, options({ streakBonusStep: 100 }));
  expect(scored).toEqual({ points: 1_000 + bonus, streak: streakBefore + 1 });
});

test("the streak bonus has its own bound, and none for a question without points", () => {
  const step = options({ streakBonusStep: 100, streakBonusMax: 150 });
  expect(awardPoints({ ...right, streakBefore: 9 }, step).points).toBe(1_150);
  expect(awardPoints({ ...right, points: 0, streakBefore: 9 }, step)).toEqual({
    points: 0,
    streak: 10,
  });
});
