/** Files that can't be taken as they stand: what is left out of them, and what is said of it. */
import { MediaKind } from "@fanfare/proto/common/v1/question";
import { checkQuiz } from "@fanfare/proto/questions/check-quiz";
import { describe, expect, test } from "vitest";
import { readDesignJson } from "./design-json.js";

const options = { title: "", tags: [], questionsPerQuiz: 500 };

const read = (content: unknown, changes = {}) =>
  readDesignJson(
    Buffer.from(typeof content === "string" ? content : JSON.stringify(content, null, 1)),
    { ...options, ...changes },
  );

const oslo = { question: "Capital of Norway?", answer: "Oslo", options: ["Oslo", "Bergen"] };

const quizOf = (...questions: unknown[]) => ({ title: "Capitals", tags: ["geography"], questions });

/** The questions that are kept, and what is said of the others. */
function settle(...questions: unknown[]) {
  const { quizzes, faults } = read(quizOf(...questions));
  return { questions: quizzes.flatMap((quiz) => quiz.questions), faults: faults.list() };
}

describe("a part that can't be used is left out and told of, and the question stays", () => {
  const bare = { media: [], seconds: 0, penalty: 0, explanation: "" };

  test.each([
    ["a bare media name", { media: ["cell.png"] }, '"cell.png" is neither an https URL nor a path'],
    ["media by plain http", { media: ["http://a/b.png"] }, '"http://a/b.png" is neither'],
    ["media that are a script", { media: ["javascript:alert(1)"] }, "neither an https URL"],
    ["media in an array of arrays", { media: [["a"]] }, "media must be references"],
    ["media that are a number", { media: 7 }, "media must be references"],
    ["media without an address", { media: [{ kind: "IMAGE" }] }, "is empty"],
    [
      "negative points",
      { points: -5 },
      '"points" must be a whole number from 0 to 10000, not "-5"',
    ],
    ["half a second", { seconds: 7.5 }, '"seconds" must be a whole number from 5 to 240, or 0'],
    ["seconds in words", { seconds: "ten" }, 'not "ten"; it was left out'],
    ["seconds that are true", { seconds: true }, '"seconds" must be a whole number'],
    ["too little time", { seconds: "4" }, '"seconds" must be a whole number'],
    ["too many points", { points: 5_000_000_000 }, '"points" must be a whole number'],
    ["a penalty in a list", { penalty: [5] }, '"penalty" must be a whole number'],
    ["an explanation in parts", { explanation: ["a", "b"] }, '"explanation" must be a text'],
    ["an explanation with control characters", { explanation: "a\u0000b" }, "control characters"],
  ])("%s", (_, part, reason) => {
    const { questions, faults } = settle({ ...oslo, ...part });
    expect(questions).toMatchObject([{ ...bare, answer: ["Oslo"] }]);
    expect(questions[0]?.points).toBeUndefined();
    expect(faults).toMatchObject([
      { line: 7, mended: true, reason: expect.stringContaining(reason) },
    ]);
  });

  test("good media stay beside bad ones, four at most, with a kind and a short description", () => {
    const { questions, faults } = settle({
      ...oslo,
      media: [
        "bare.png",
        { kind: "SMELL", url: "/a.mp3", description: "x".repeat(250) },
        ..."bcde".split("").map((name) => `/${name}.png`),
      ],
    });
    expect(questions[0]?.media.map(({ url }) => url)).toEqual([
      "/a.mp3",
      "/b.png",
      "/c.png",
      "/d.png",
    ]);
    expect(questions[0]?.media[0]).toMatchObject({ kind: MediaKind.AUDIO });
    expect(questions[0]?.media[0]?.description).toHaveLength(200);
    expect(faults.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("bare.png"),
      expect.stringContaining('"SMELL" is not known'),
      expect.stringContaining("cut to 200"),
      expect.stringContaining("the first 4 were kept"),
    ]);
  });

  test("a long explanation is cut", () => {
    const { questions, faults } = settle({ ...oslo, explanation: "x".repeat(600) });
    expect(questions[0]?.explanation).toHaveLength(500);
    expect(faults).toMatchObject([{ mended: true, reason: expect.stringContaining("cut to 500") }]);
  });

  test.each([
    ["yes", "true"],
    ["F", "false"],
    [1, "true"],
    ["0", "false"],
  ])("the answer %j to a statement is read as %s, and that is told", (answer, meant) => {
    const { questions, faults } = settle({ type: "TRUE_FALSE", question: "s", answer });
    expect(questions).toMatchObject([{ answer: [meant] }]);
    expect(faults).toMatchObject([
      { mended: true, reason: expect.stringContaining("was read as") },
    ]);
  });

  test("repeated options and answers are dropped by name and line", () => {
    const { questions, faults } = settle({
      ...oslo,
      options: ["Oslo", "Bergen", " Bergen", "", "bergen"],
      answer: ["Oslo", "Oslo"],
    });
    expect(questions).toMatchObject([{ options: ["Oslo", "Bergen", "bergen"], answer: ["Oslo"] }]);
    expect(faults.map(({ reason }) => reason)).toEqual([
      '2 empty or repeated options were dropped: "Bergen" (line 16), "" (line 17)',
      "a right answer was named twice and is kept once",
    ]);
  });
});

describe("HTML entities", () => {
  const html = {
    question: "&quot;Fidelio&quot; is by?",
    options: ["Beethoven &amp; Co", "C&eacute;zanne &#039;s", "A & B; AT&T"],
    answer: "C&eacute;zanne &#039;s",
    explanation: "&lt;b&gt;",
    media: ["https://a/b.png?x=1&amp;y=2"],
  };

  test("are decoded where the import says so, in every text, and told of", () => {
    const { quizzes, faults } = read(
      { ...quizOf(html), title: "Q&amp;A" },
      { decodesEntities: true },
    );
    expect(quizzes).toMatchObject([
      {
        title: "Q&A",
        questions: [
          {
            question: '"Fidelio" is by?',
            options: ["Beethoven & Co", "Cézanne 's", "A & B; AT&T"],
            answer: ["Cézanne 's"],
            explanation: "<b>",
            media: [{ url: "https://a/b.png?x=1&y=2" }],
          },
        ],
      },
    ]);
    expect(faults.list()).toMatchObject([
      {
        line: 1,
        mended: true,
        count: 2,
        lines: [1, 7],
        reason: expect.stringContaining("decoded"),
      },
    ]);
  });

  test("are else kept, with one warning that names the lines", () => {
    const { questions, faults } = settle(html, oslo, { ...oslo, question: "&eacute;?" });
    expect(questions[0]).toMatchObject({ question: html.question, options: html.options });
    expect(faults).toMatchObject([
      {
        mended: true,
        count: 2,
        lines: [7, 28],
        reason: expect.stringContaining("HTML_ENTITIES_DECODE"),
      },
    ]);
  });

  test("that decode to the same option leave one of them, and the right answer right", () => {
    const { quizzes, faults } = read(quizOf({ ...oslo, options: ["Oslo", "&#79;slo", "Bergen"] }), {
      decodesEntities: true,
    });
    expect(quizzes[0]?.questions[0]).toMatchObject({
      options: ["Oslo", "Bergen"],
      answer: ["Oslo"],
    });
    expect(faults.list().map(({ reason }) => reason)).toContain(
      'the empty or repeated option "Oslo" (line 12) was dropped',
    );
  });
});

test("a title is kept as it is, and what of it can't be shown becomes a space and is told of", () => {
  const titled = (title: string) => read({ ...quizOf(oslo), title });
  expect(titled("Q\u00a0& A").quizzes[0]?.title).toBe("Q\u00a0& A");
  expect(titled("Q\u00a0& A").faults.list()).toEqual([]);
  const broken = titled("one\ntwo");
  expect(broken.quizzes[0]?.title).toBe("one two");
  expect(broken.faults.list()).toMatchObject([
    { mended: true, reason: expect.stringContaining("title") },
  ]);
});

test("mojibake is told of by line, and nothing is changed", () => {
  const { questions, faults } = settle(oslo, { ...oslo, question: "Whatâ€™s the cafÃ©?" });
  expect(questions[1]?.question).toBe("Whatâ€™s the cafÃ©?");
  expect(faults).toMatchObject([
    { line: 15, mended: true, reason: expect.stringContaining('"â€™" was probably "’"') },
  ]);
});

describe("a quiz that no session can hold is left out, with what to do", () => {
  const long = (i: number) => ({
    question: `${i}${"歴".repeat(490)}`,
    options: ["い", "ろ", "は", "に"].map((first) => first + "史".repeat(199)),
    answer: `い${"史".repeat(199)}`,
    explanation: "問".repeat(500),
  });
  const japanese = quizOf(...Array.from({ length: 300 }, (_, i) => long(i)));

  test("before the notes on its questions", () => {
    const { quizzes, faults } = read([quizOf({ ...oslo, seconds: "?" }), japanese]);
    expect(quizzes.map(({ questions }) => questions.length)).toEqual([1]);
    expect(faults.list()).toMatchObject([
      { mended: false, limit: "FROZEN_QUIZ_BYTES_MAX", line: 19 },
      { mended: true, line: 8 },
    ]);
  });

  test("and the advice helps", () => {
    const [fault] = read(japanese).faults.list();
    const [, count] = /questions_per_quiz (\d+)/.exec(fault?.reason ?? "") ?? [];
    const { quizzes, faults } = read(japanese, { questionsPerQuiz: Number(count) });
    expect(quizzes.flatMap(({ questions }) => questions)).toHaveLength(300);
    for (const quiz of quizzes) expect(checkQuiz(quiz).kind).toBe("valid");
    expect(faults.list()).toMatchObject([{ mended: true }]);
  });
});
