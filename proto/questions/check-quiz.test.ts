import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { MediaKind, QuestionType } from "../gen/common/v1/question_pb.js";
import { FrozenQuizSchema } from "../gen/quiz/v1/session_pb.js";
import { type QuestionSchema, QuizSchema } from "../gen/quizmaster/v1/quiz_master_service_pb.js";
import { checkQuiz } from "./check-quiz.js";
import { bytesAtMost, freezeQuestion, frozenBytes } from "./freeze-question.js";

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

  test("with its texts composed and without white space around them", () => {
    const given = { ...single, options: [" Cafe\u0301\u00a0", "Bergen"], answer: ["Caf\u00e9"] };
    expect(stored(given)).toMatchObject({
      options: ["Caf\u00e9", "Bergen"],
      answer: ["Caf\u00e9"],
    });
  });

  // Each pair looks alike to some rule of comparison; none of them is one text.
  test.each([
    ["case", "Co", "CO"],
    ["case of the first letter", "Paris", "paris"],
    ["width", "ＡＢＣ", "ABC"],
    ["accents", "résumé", "resume"],
    ["ß and ss", "Maße", "Masse"],
    ["the capital ß", "STRAẞE", "STRASSE"],
    ["the Turkish i", "ılık", "ilik"],
    ["the Turkish I", "İ", "I"],
    ["the final sigma", "λόγος", "λόγοσ"],
    ["ligatures", "ﬁn", "fin"],
    ["decimals", "1.0", "1"],
    ["exponents", "x²", "x2"],
    ["inner spaces", "a b", "a  b"],
    ["formulas", "H2O", "h2o"],
    ["signs", "C++", "C#"],
    ["kana", "カ", "ｶ"],
  ])("options that differ by %s are different, whichever is right", (_, one, other) => {
    for (const answer of [one, other])
      expect(stored({ ...single, options: [one, other], answer: [answer] })).toMatchObject({
        options: [one, other],
        answer: [answer],
      });
  });

  test.each([
    ["TRUE", [], "true"],
    ["false ", [], "false"],
    ["Nein", ["Ja", "Nein"], "false"],
    ["True", ["Yes", "No"], "true"],
    ["TRUE", ["True", "TRUE"], "false"],
  ])(
    "the answer %j to a statement of the words %j is stored as a word of ours",
    (given, options, answer) => {
      expect(stored({ ...statement, options, answer: [given] })?.answer).toEqual([answer]);
    },
  );

  test.each([["True"], ["true"]])(
    "%s stays right where the words were given the other way round",
    (given) => {
      expect(stored({ ...statement, options: ["False", "True"], answer: [given] })).toMatchObject({
        options: ["True", "False"],
        answer: ["true"],
      });
    },
  );

  test.each([
    [
      "options and an answer",
      { options: ["Oslo", "Bergen"], answer: ["Oslo"] },
      QuestionType.SINGLE_CHOICE,
    ],
    ["true without options", { answer: ["True"] }, QuestionType.TRUE_FALSE],
    ["true and false", { options: ["false", "TRUE"], answer: ["false"] }, QuestionType.TRUE_FALSE],
    [
      "true twice, spelled otherwise",
      { options: ["True", "true"], answer: ["true"] },
      QuestionType.SINGLE_CHOICE,
    ],
    [
      "true, false and more",
      { options: ["True", "False", "Both"], answer: ["True"] },
      QuestionType.SINGLE_CHOICE,
    ],
  ])("the type is inferred from %s", (_, changes, type) => {
    expect(stored({ question: "Which?", ...changes })?.type).toBe(type);
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
    ["the same right answer twice", { ...multiple, answer: ["Oslo", "Oslo "] }, "answer", "twice"],
    ["no options", { ...single, options: [] }, "options", "give 2 to 8"],
    ["one option", { ...single, options: ["Oslo"] }, "options", "there is 1 option"],
    ["nine options", { ...single, options: texts(9) }, "options", "there are 9 options"],
    [
      "options that differ in outer space only",
      { ...single, options: ["Oslo", "\u00a0Oslo "] },
      "options",
      '"Oslo" is there twice',
    ],
    [
      "an answer in another case than its option",
      { ...single, answer: ["OSLO"] },
      "answer",
      'spell it as the option is, "Oslo"',
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
    ["a type of tomorrow", { ...single, type: 99 as QuestionType }, "type", "not known"],
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
    ["a statement with one word twice", { ...statement, options: ["x", "x "] }, "options", "twice"],
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

describe("a quiz that one session can't hold is refused where it is made", () => {
  // 500 Japanese characters, four options of 200 and a long explanation: 5.4 kB each.
  const long: QuestionInit = {
    ...single,
    question: "歴".repeat(500),
    options: ["い", "ろ", "は", "に"].map((first) => first + "史".repeat(199)),
    answer: [`い${"史".repeat(199)}`],
    explanation: "問".repeat(500),
  };
  const longQuiz = (count: number) => quizOf(...Array.from({ length: count }, () => long));

  test("with the limit, and how many questions fit", () => {
    const checked = checkQuiz(longQuiz(300));
    if (checked.kind === "valid") throw new Error("it was not refused");
    expect(checked.fault).toMatchObject({ field: "questions", limit: "FROZEN_QUIZ_BYTES_MAX" });
    const [, fits] = /the first (\d+) fit/.exec(checked.fault.message) ?? [];
    expect(checkQuiz(longQuiz(Number(fits))).kind).toBe("valid");
    expect(checkQuiz(longQuiz(Number(fits) + 1)).kind).toBe("invalid");
  });

  test("by the bytes of its frozen form, whatever the session's options are", () => {
    const media = [image, { ...image, url: `/${"ü".repeat(400)}`, description: "ü".repeat(200) }];
    const numbers = { seconds: 240, points: 10_000, penalty: 10_000 };
    const questions = checkQuestions([
      { ...long, ...numbers, media },
      { ...statement, seconds: 0 },
      { ...multiple, ...numbers, options: [..."ab歴史🦊🐺cd"], answer: [..."ab歴史🦊🐺cd"] },
    ]);
    const freezing = (roundSeconds: number) => ({
      roundSeconds,
      order: (texts: readonly string[]) => texts.toReversed(),
    });
    const bytesAt = (roundSeconds: number) =>
      toBinary(
        FrozenQuizSchema,
        create(FrozenQuizSchema, {
          questions: questions.map((each) => freezeQuestion(each, freezing(roundSeconds))),
        }),
      ).length;
    const counted = questions.reduce((sum, question) => sum + frozenBytes(question), 0);
    expect(bytesAt(240)).toBe(counted);
    expect(bytesAt(5)).toBeLessThanOrEqual(counted);
    for (const question of questions)
      expect(bytesAtMost(question)).toBeGreaterThanOrEqual(frozenBytes(question));
  });
});

function checkQuestions(questions: QuestionInit[]) {
  const checked = checkQuiz(quizOf(...questions));
  if (checked.kind === "invalid") throw new Error(checked.fault.message);
  return checked.content.questions;
}
