import { create } from "@bufbuild/protobuf";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { SessionOptionsSchema } from "@fanfare/proto/quiz/v1/session";
import { QuizSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { expect, test } from "vitest";
import { freezeQuiz } from "./freeze-quiz.js";
import { isRefusal } from "./refusal.js";

const options = create(SessionOptionsSchema, { roundSeconds: 20 });
const single = {
  type: QuestionType.SINGLE_CHOICE,
  question: "Which?",
  options: ["a", "b", "c", "d"],
  answer: ["a"],
};

function freeze(question: object, random = () => 0) {
  const quiz = create(QuizSchema, { title: "T", questions: [question as never] });
  return freezeQuiz(quiz, options, random);
}

test("options are shuffled, and the answer follows its text", () => {
  const places = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const frozen = freeze(single, Math.random);
    if (isRefusal(frozen)) throw new Error(frozen.message);
    const [question] = frozen.questions;
    const right = question?.question?.options.find(({ text }) => text === "a");
    expect(question?.answer).toEqual([right?.choice]);
    places.add(right?.choice ?? "");
  }
  expect(places.size).toBe(4);
});

test("true and false keep their places", () => {
  const frozen = freeze({ type: QuestionType.TRUE_FALSE, question: "Is it?", answer: ["false"] });
  if (isRefusal(frozen)) throw new Error(frozen.message);
  expect(frozen.questions[0]?.question?.options.map(({ text }) => text)).toEqual(["True", "False"]);
  expect(frozen.questions[0]?.answer).toEqual(["B"]);
});

test.each([
  ["no options", { ...single, options: [] }],
  ["one option", { ...single, options: ["a"] }],
  ["nine options", { ...single, options: [..."abcdefghi"] }],
  ["two the same", { ...single, options: ["a", "a", "b"] }],
  ["two right ones on a single choice", { ...single, answer: ["a", "b"] }],
  ["no answer", { ...single, answer: [] }],
  ["a stray answer", { ...single, answer: ["z"] }],
  ["too little time", { ...single, seconds: 4 }],
  ["too much time", { ...single, seconds: 241 }],
  ["too many points", { ...single, points: 10_001 }],
  ["no text", { ...single, question: " " }],
  ["a NUL in its text", { ...single, question: "a\u0000b" }],
  ["a NUL in an option", { ...single, options: ["a", "b\u0000"] }],
  ["half a character in an explanation", { ...single, explanation: "\ud800" }],
  [
    "an escape sequence for true",
    { type: QuestionType.TRUE_FALSE, question: "Q", options: ["\u001b[2J", "n"], answer: ["true"] },
  ],
  ["a type of tomorrow", { ...single, type: 99 as QuestionType }],
  ["media that a browser can't load", { ...single, media: [{ kind: 1, url: "http://a/b.png" }] }],
  ["maybe", { type: QuestionType.TRUE_FALSE, question: "Q", answer: ["maybe"] }],
])("a question with %s is refused", (_, question) => {
  expect(isRefusal(freeze(question))).toBe(true);
});

test.each([
  ["a single choice", { options: ["a", "b"], answer: ["b"] }, QuestionType.SINGLE_CHOICE],
  ["a statement", { answer: ["true"] }, QuestionType.TRUE_FALSE],
  [
    "a statement in words",
    { options: ["False", "True"], answer: ["True"] },
    QuestionType.TRUE_FALSE,
  ],
])("the type of %s is inferred, as in an import", (_, changes, type) => {
  const frozen = freeze({ question: "Which?", ...changes });
  if (isRefusal(frozen)) throw new Error(frozen.message);
  expect(frozen.questions[0]?.question?.type).toBe(type);
});

test("options that differ by case alone stand side by side, and the right one stays right", () => {
  const frozen = freeze({ ...single, options: ["CO", "Co", "C"], answer: ["Co"] });
  if (isRefusal(frozen)) throw new Error(frozen.message);
  const [{ question, answer } = {}] = frozen.questions;
  expect(question?.options).toHaveLength(3);
  expect(question?.options.find(({ choice }) => choice === answer?.[0])?.text).toBe("Co");
});

test("texts are frozen composed and without white space around them", () => {
  const frozen = freeze({ ...single, options: ["Cafe\u0301\u00a0", " b"], answer: ["Caf\u00e9"] });
  if (isRefusal(frozen)) throw new Error(frozen.message);
  const texts = frozen.questions[0]?.question?.options.map(({ text }) => text);
  expect(texts?.sort()).toEqual(["Caf\u00e9", "b"].sort());
});

test("a title with a NUL, which no PostgreSQL takes, is refused", () => {
  const quiz = create(QuizSchema, { title: "T\u0000", questions: [single] });
  expect(isRefusal(freezeQuiz(quiz, options, Math.random))).toBe(true);
});

test("an empty quiz is refused", () => {
  expect(isRefusal(freezeQuiz(create(QuizSchema, { title: "T" }), options, Math.random))).toBe(
    true,
  );
});
