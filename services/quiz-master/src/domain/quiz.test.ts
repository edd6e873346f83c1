import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { MediaKind, QuestionType } from "@fanfare/proto/common/v1/question";
import { type QuestionSchema, QuizSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { describe, expect, test } from "vitest";
import { checkQuiz } from "./quiz.js";

type QuestionInit = MessageInitShape<typeof QuestionSchema>;

const single: QuestionInit = {
  type: QuestionType.SINGLE_CHOICE,
  question: "What is the capital of Norway?",
  options: ["Oslo", "Bergen"],
  answer: ["Oslo"],
};
const multiple: QuestionInit = { ...single, type: QuestionType.MULTIPLE_CHOICE };
const statement: QuestionInit = {
  type: QuestionType.TRUE_FALSE,
  question: "Oslo is in Norway.",
  answer: ["true"],
};
const image = { kind: MediaKind.IMAGE, url: "/media/a.png" };

function quizOf(...questions: QuestionInit[]) {
  return create(QuizSchema, { title: "Capitals", tags: ["geography"], questions: [...questions] });
}

/** The first question as it would be stored. */
function stored(question: QuestionInit) {
  const checked = checkQuiz(quizOf(question));
  if (checked.kind === "invalid") throw new Error(checked.fault.message);
  return checked.content.questions[0];
}

function texts(count: number, of = (i: number) => `option ${i}`): string[] {
  return Array.from({ length: count }, (_, i) => of(i));
}

describe("a good question is stored", () => {
  test.each([
    ["eight options", { ...single, options: [...texts(7), "Oslo"] }],
    ["every option right", { ...multiple, answer: ["Bergen", "Oslo"] }],
    [
      "longest texts",
      { ...single, question: "🦊".repeat(500), options: ["🐺".repeat(200), "Oslo"] },
    ],
    ["several lines", { ...single, question: "Roses are red,\nviolets are …" }],
    ["no points at all", { ...single, points: 0, penalty: 10_000, seconds: 240 }],
    ["four media", { ...single, media: [image, image, image, image] }],
    ["true or false with its own words", { ...statement, options: ["Ja", "Nein"] }],
  ])("%s", (_, question) => {
    expect(stored(question)).toBeDefined();
  });

  test("with its answer spelled as the option is", () => {
    expect(stored({ ...single, options: [" Oslo ", "Bergen"], answer: ["OSLO"] })).toMatchObject({
      options: ["Oslo", "Bergen"],
      answer: ["Oslo"],
    });
  });

  test.each([
    ["TRUE", [], "true"],
    ["false ", [], "false"],
    ["Nein", ["Ja", "nein"], "false"],
    ["true", ["False", "True"], "true"],
  ])("the answer %j to a statement is stored as a word of ours", (given, options, answer) => {
    expect(stored({ ...statement, options, answer: [given] })?.answer).toEqual([answer]);
  });
});

describe("a bad question is refused with its number, its field and a way out", () => {
  test.each<[string, QuestionInit, string, string]>([
    [
      "two right answers on a single choice",
      { ...single, answer: ["Oslo", "Bergen"] },
      "answer",
      "exactly one right answer and this one has 2",
    ],
    ["no right answer", { ...single, answer: [] }, "answer", "no right answer"],
    [
      "an answer that is no option",
      { ...single, answer: ["Paris"] },
      "answer",
      '"Paris" is none of the options',
    ],
    [
      "no right answer of several",
      { ...multiple, answer: [] },
      "answer",
      "at least one right option",
    ],
    ["the same right answer twice", { ...multiple, answer: ["Oslo", "oslo"] }, "answer", "twice"],
    ["no options", { ...single, options: [] }, "options", "give 2 to 8"],
    ["one option", { ...single, options: ["Oslo"] }, "options", "there is 1 option"],
    ["nine options", { ...single, options: texts(9) }, "options", "there are 9 options"],
    [
      "options that differ in case only",
      { ...single, options: ["Oslo", "OSLO "] },
      "options",
      '"OSLO" is there twice',
    ],
    [
      "options that differ in composition only",
      { ...single, options: ["Caf\u00e9", "Cafe\u0301"] },
      "options",
      "twice",
    ],
    ["an empty option", { ...single, options: ["Oslo", " "] }, "options", "is empty"],
    [
      "a long option",
      { ...single, options: ["Oslo", "x".repeat(201)] },
      "options",
      "has 201 characters",
    ],
    ["an empty question", { ...single, question: "\u200b" }, "question", "is empty"],
    ["a long question", { ...single, question: "x".repeat(501) }, "question", "shorten it to 500"],
    ["a zero byte", { ...single, question: "a\0" }, "question", "control characters"],
    ["a long explanation", { ...single, explanation: "x".repeat(501) }, "explanation", "has 501"],
    ["no type", { ...single, type: QuestionType.UNSPECIFIED }, "type", "not set or not known"],
    ["a type of tomorrow", { ...single, type: 99 as QuestionType }, "type", "not set or not known"],
    ["four seconds", { ...single, seconds: 4 }, "seconds", "is 4 s; give 5 to 240"],
    ["241 seconds", { ...single, seconds: 241 }, "seconds", "is 241 s"],
    ["too many points", { ...single, points: 10_001 }, "points", "give 0 to 10000"],
    ["too high a penalty", { ...single, penalty: 10_001 }, "penalty", "give 0 to 10000"],
    [
      "five media",
      { ...single, media: [image, image, image, image, image] },
      "media",
      "there are 5",
    ],
    [
      "media from anywhere",
      { ...single, media: [{ ...image, url: "http://a/b" }] },
      "media",
      "https",
    ],
    [
      "a statement with three options",
      { ...statement, options: texts(3) },
      "options",
      "has 3 options",
    ],
    ["a statement with one word twice", { ...statement, options: ["x", "X"] }, "options", "twice"],
    [
      "a statement that is both",
      { ...statement, answer: ["true", "false"] },
      "answer",
      'either "true" or "false"',
    ],
    ["a statement that is neither", { ...statement, answer: ["maybe"] }, "answer", 'not "maybe"'],
  ])("%s", (_, question, field, message) => {
    expect(checkQuiz(quizOf(single, question))).toEqual({
      kind: "invalid",
      fault: { question: 2, field, message: expect.stringContaining(message) },
    });
  });
});

describe("a bad quiz is refused with its field", () => {
  test.each([
    ["no questions", { questions: [] }, "questions", "at least one question"],
    ["501 questions", { questions: texts(501).map(() => single) }, "questions", "at most 500"],
    ["no title", { title: "  " }, "title", "1 to 120"],
    ["a long title", { title: "🦊".repeat(121) }, "title", "has 121 characters"],
    ["a title of two lines", { title: "a\nb" }, "title", "control characters"],
    ["a tag with a space", { tags: ["a b"] }, "tags", 'write "a-b"'],
  ])("%s", (_, changes, field, message) => {
    const quiz = create(QuizSchema, { title: "Capitals", questions: [single], ...changes });
    expect(checkQuiz(quiz)).toEqual({
      kind: "invalid",
      fault: { field, message: expect.stringContaining(message) },
    });
  });
});
