import { QuestionType } from "@fanfare/proto/common/v1/question";
import { checkQuiz } from "@fanfare/proto/questions/check-quiz";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readOpenTriviaQa } from "./open-trivia-qa.js";

const options = { title: "Trivia", tags: ["trivia"], questionsPerQuiz: 500 };

const read = (text: string, changes = {}) =>
  readOpenTriviaQa(Buffer.from(text), { ...options, ...changes });

const questionsOf = (text: string) => read(text).quizzes.flatMap((quiz) => quiz.questions);

const GOOD = "#Q Capital of Norway?\n^ Oslo\nA Bergen\nB Oslo\n\n";

describe("a good block becomes a question", () => {
  test("of single choice", () => {
    expect(questionsOf(GOOD)).toMatchObject([
      {
        type: QuestionType.SINGLE_CHOICE,
        question: "Capital of Norway?",
        options: ["Bergen", "Oslo"],
        answer: ["Oslo"],
      },
    ]);
  });

  test.each([["A True\nB False"], ["A False\nB True"]])("true or false: %j", (lines) => {
    expect(questionsOf(`#Q Dogs are colourblind.\n^ False\n${lines}\n`)).toMatchObject([
      { type: QuestionType.TRUE_FALSE, options: [], answer: ["false"] },
    ]);
  });

  test("of yes and no, which stays a single choice", () => {
    expect(questionsOf("#Q Is it?\n^ No\nA Yes\nB No\n")).toMatchObject([
      { type: QuestionType.SINGLE_CHOICE, options: ["Yes", "No"] },
    ]);
  });

  test("of several lines, blank ones and such that look like options included", () => {
    const text =
      "#Q Finish this:\r\n\r\nA woman has 7 children,\nhalf of them …\n^ boys\nA boys\nB girls\n";
    expect(questionsOf(text)[0]?.question).toBe(
      "Finish this:\nA woman has 7 children,\nhalf of them …",
    );
  });

  test("whose answer and options run on over several lines", () => {
    expect(questionsOf("#Q q\n^ a long\nanswer\nA a long\nanswer\nB short\n")).toMatchObject([
      { options: ["a long answer", "short"], answer: ["a long answer"] },
    ]);
  });
});

describe("a bad block is reported by line, and costs nothing else", () => {
  test.each([
    ["no right answer", "#Q q\nA a\nB b\n", "no right answer"],
    ["two right answers", "#Q q\n^ a\n^ b\nA a\nB b\n", "2 right answers"],
    ["an answer that is no option", "#Q q\n^ c\nA a\nB b\n", '"c" is none of the options'],
    ["no options", "#Q q\n^ a\n", "there are 0 options"],
    ["one option", "#Q q\n^ a\nA a\n", "there is 1 option"],
    ["the same option throughout", "#Q q\n^ a\nA a\nB a\n", "there is 1 option"],
    ["no question", "#Q\n^ a\nA a\nB b\n", "the question is empty"],
    ["a long question", `#Q ${"x".repeat(501)}\n^ a\nA a\nB b\n`, "shorten it to 500"],
  ])("%s", (_, block, reason) => {
    const { quizzes, faults } = read(`${GOOD}${block}\n${GOOD.replace("Norway", "Norway, again")}`);
    expect(quizzes.flatMap((quiz) => quiz.questions)).toHaveLength(2);
    expect(faults.list()).toMatchObject([
      { line: 6, reason: expect.stringContaining(reason), mended: false },
    ]);
  });

  test("text that belongs to no question is reported where it begins", () => {
    const { faults, quizzes } = read(`OpenTrivia\nby somebody\n${GOOD}the end\nreally\n`);
    expect(quizzes).toHaveLength(1);
    expect(faults.list()).toMatchObject([
      { line: 1, excerpt: "OpenTrivia", mended: false },
      { line: 8, excerpt: "the end", mended: false },
    ]);
  });
});

describe("a block is mended where that is safe", () => {
  test.each([
    ["a repeated option", "#Q q\n^ a\nA a\nB a\nC b\n", 'repeated option "a" (line 4) was dropped'],
    ["empty options", "#Q q\n^ a\nA a\nB\nC \nD b\n", "2 empty or repeated options were dropped"],
  ])("%s", (_, block, reason) => {
    const { quizzes, faults } = read(block);
    expect(quizzes[0]?.questions[0]?.options).toEqual(["a", "b"]);
    expect(faults.list()).toMatchObject([
      { line: 1, excerpt: "q", mended: true, reason: expect.stringContaining(reason) },
    ]);
  });

  test("HTML entities, which come from web pages", () => {
    const block =
      "#Q &quot;Fidelio&quot;?\n^ C&eacute;zanne\nA C&eacute;zanne\nB D&#039;Annunzio\n";
    const { quizzes, faults } = read(block);
    expect(quizzes[0]?.questions).toMatchObject([
      { question: '"Fidelio"?', options: ["Cézanne", "D'Annunzio"], answer: ["Cézanne"] },
    ]);
    expect(faults.list()).toMatchObject([
      { line: 1, mended: true, reason: expect.stringContaining("decoded") },
    ]);
    const kept = read(block, { decodesEntities: false });
    expect(kept.quizzes[0]?.questions[0]?.question).toBe("&quot;Fidelio&quot;?");
    expect(kept.faults.list()).toMatchObject([
      { line: 1, mended: true, reason: expect.stringContaining("were kept as they are written") },
    ]);
  });

  test("damaged bytes", () => {
    const content = Buffer.from("#Q \xd0?n oxygen tank\n^ a\nA a\nB b\n", "latin1");
    const { quizzes, faults } = readOpenTriviaQa(content, options);
    expect(quizzes[0]?.questions).toHaveLength(1);
    expect(faults.list()).toMatchObject([
      { line: 1, mended: true, reason: expect.stringContaining("check the text") },
    ]);
  });
});

test("options that differ by case alone stand side by side, and the right one stays right", () => {
  const { quizzes, faults } = read("#Q Cobalt?\n^ Co\nA CO\nB Co\nC C\n");
  expect(quizzes[0]?.questions).toMatchObject([{ options: ["CO", "Co", "C"], answer: ["Co"] }]);
  expect(faults.list()).toEqual([]);
});

test("questions that one session can't hold become quizzes that one can", () => {
  const long = "史".repeat(199);
  const blocks = Array.from(
    { length: 400 },
    (_, i) =>
      `#Q ${i}${"歴".repeat(490)}\n^ い${long}\nA い${long}\nB ろ${long}\nC は${long}\nD に${long}\n`,
  );
  const { quizzes } = read(blocks.join("\n"));
  expect(quizzes.flatMap(({ questions }) => questions)).toHaveLength(400);
  for (const quiz of quizzes) expect(checkQuiz(quiz).kind).toBe("valid");
});

test("many questions become numbered quizzes within the bounds of a title", () => {
  const blocks = Array.from({ length: 5 }, (_, i) => GOOD.replace("Norway", `Norway ${i}`));
  const { quizzes } = read(blocks.join(""), { title: "T".repeat(120), questionsPerQuiz: 2 });
  expect(
    quizzes.map(({ title, questions }) => [title.slice(-3), title.length, questions.length]),
  ).toEqual([
    ["T 1", 120, 2],
    ["T 2", 120, 2],
    ["T 3", 120, 1],
  ]);
  expect(quizzes[0]?.tags).toEqual(["trivia"]);
});

test("a file of another format is unreadable", () => {
  expect(read('{"title": "x"}').unreadable).toContain("#Q");
  const wide = Buffer.from(`\ufeff${GOOD}`, "utf16le");
  expect(readOpenTriviaQa(wide, options).unreadable).toContain("UTF-16");
});

test("whatever the bytes, every block is a question or one fault on its line", () => {
  const pieces = fc.constantFrom(
    "#Q ",
    "#Q",
    "^ ",
    "A ",
    "B ",
    "C",
    "x",
    "yes",
    "True",
    "False",
    "é",
    "\u00e9\u0081",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\n\n",
    "\u0000",
  );
  const file = fc.array(pieces, { maxLength: 80 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(file, fc.boolean(), (text, asLatin1) => {
      const content = Buffer.from(text, asLatin1 ? "latin1" : "utf8");
      const { quizzes, faults } = readOpenTriviaQa(content, options);
      const kept = quizzes.reduce((sum, quiz) => sum + quiz.questions.length, 0);
      const lines = text.split(/\r\n|\r|\n/);
      const blocks = lines.flatMap((line, i) => (/^\s*#Q/.test(line) ? [i + 1] : []));
      const leftOut = faults.list().filter(({ line, mended }) => !mended && blocks.includes(line));
      expect(kept + leftOut.length).toBe(blocks.length);
    }),
    { numRuns: 1_000 },
  );
});

test("random bytes never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      readOpenTriviaQa(bytes, options);
    }),
  );
});
