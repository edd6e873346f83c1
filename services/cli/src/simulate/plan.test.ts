import { create } from "@bufbuild/protobuf";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { PublicQuestionSchema } from "@fanfare/proto/quiz/v1/session";
import { QuestionSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { choicesFor, planGame } from "./plan.js";

const single = create(QuestionSchema, {
  type: QuestionType.SINGLE_CHOICE,
  options: ["Oslo", "Rome", "Lima"],
  answer: ["Rome"],
});
const multiple = create(QuestionSchema, {
  type: QuestionType.MULTIPLE_CHOICE,
  options: ["red", "green", "blue", "loud"],
  answer: ["red", "green", "blue"],
});
const trueFalse = create(QuestionSchema, { type: QuestionType.TRUE_FALSE, answer: ["false"] });
const questions = [single, multiple, trueFalse];

function shown(type: QuestionType, texts: string[]) {
  const options = texts.map((text, place) => ({ choice: "ABCDEFGH"[place] ?? "", text }));
  return create(PublicQuestionSchema, { type, options });
}

describe("the plan of a game", () => {
  test("is the same for the same seed", () => {
    expect(planGame(7, questions, 20)).toEqual(planGame(7, questions, 20));
  });

  test("is another one for another seed", () => {
    expect(planGame(7, questions, 20)).not.toEqual(planGame(8, questions, 20));
  });

  test("of a player does not depend on how many others play", () => {
    const few = planGame(7, questions, 3).map((round) => round.slice(0, 3));
    const many = planGame(7, questions, 50).map((round) => round.slice(0, 3));
    expect(many).toEqual(few);
  });

  test("holds answers that each question offers, within the round", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffffffff }), (seed) => {
        const [first = [], second = [], third = []] = planGame(seed, questions, 5);
        for (const { texts } of first) {
          expect(texts).toHaveLength(1);
          expect(single.options).toEqual(expect.arrayContaining(texts));
        }
        for (const { texts } of second) {
          expect(texts.length).toBeGreaterThan(0);
          expect(new Set(texts).size).toBe(texts.length);
          expect(multiple.options).toEqual(expect.arrayContaining(texts));
        }
        for (const { texts } of third)
          expect(["true", "false"]).toEqual(expect.arrayContaining(texts));
        for (const { after } of [first, second, third].flat()) {
          expect(after).toBeGreaterThan(0);
          expect(after).toBeLessThanOrEqual(0.8);
        }
      }),
    );
  });

  test("has right and wrong answers among many players", () => {
    const [first = []] = planGame(1, questions, 100);
    const right = first.filter(({ texts }) => texts[0] === "Rome").length;
    expect(right).toBeGreaterThan(30);
    expect(right).toBeLessThan(95);
  });
});

describe("planned texts as choices", () => {
  test("follow the order in which a session shows its options", () => {
    const question = shown(QuestionType.SINGLE_CHOICE, ["Lima", "Oslo", "Rome"]);
    expect(choicesFor(["Rome"], question)).toEqual(["C"]);
  });

  test("name every option of a multiple choice", () => {
    const question = shown(QuestionType.MULTIPLE_CHOICE, ["blue", "loud", "red", "green"]);
    expect(choicesFor(["red", "green", "blue"], question)).toEqual(["A", "C", "D"]);
  });

  test.each([
    ["true", "A"],
    ["false", "B"],
  ])("%s is the option at its place, in whatever words it is shown", (text, choice) => {
    const question = shown(QuestionType.TRUE_FALSE, ["Stimmt", "Stimmt nicht"]);
    expect(choicesFor([text], question)).toEqual([choice]);
  });
});
