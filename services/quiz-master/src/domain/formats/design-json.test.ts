import { MediaKind, QuestionType } from "@fanfare/proto/common/v1/question";
import fc from "fast-check";
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

describe("what people write by hand is understood", () => {
  test("the design document's own example", () => {
    const { quizzes } = read({
      title: "Quiz title",
      tags: ["news", "events"],
      questions: [
        { question: "1+1=?", answer: "2", media: ["blob storage reference goes here"] },
        { question: "2+2=?", answer: "4" },
      ],
    });
    expect(quizzes).toMatchObject([
      {
        title: "Quiz title",
        tags: ["news", "events"],
        questions: [
          {
            type: QuestionType.SINGLE_CHOICE,
            answer: ["2"],
            // Nothing was uploaded under this name: it would be an empty picture.
            media: [],
          },
          { answer: ["4"] },
        ],
      },
    ]);
  });

  test.each([
    ["an answer in an array", { ...oslo, answer: ["Oslo"] }, { answer: ["Oslo"] }],
    [
      "numbers as texts",
      { question: "1+1=?", answer: 2, options: [1.5, 2] },
      { options: ["1.5", "2"] },
    ],
    [
      "a statement",
      { question: "Oslo is in Norway.", answer: true },
      { type: QuestionType.TRUE_FALSE, answer: ["true"], options: [] },
    ],
    [
      "a statement in words",
      { ...oslo, answer: "False", options: ["True", "False"] },
      { type: QuestionType.TRUE_FALSE, answer: ["false"], options: [] },
    ],
    [
      "a type by its short name",
      { ...oslo, type: "multiple choice" },
      { type: QuestionType.MULTIPLE_CHOICE },
    ],
    ["a type by its number", { ...oslo, type: 2 }, { type: QuestionType.MULTIPLE_CHOICE }],
    [
      "null as nothing",
      { ...oslo, media: null, points: null, type: null },
      { media: [], type: QuestionType.SINGLE_CHOICE },
    ],
    ["no points", { ...oslo, points: 0 }, { points: 0 }],
    ["a type that is not set", { ...oslo, type: 0 }, { type: QuestionType.SINGLE_CHOICE }],
    [
      "numbers in quotes",
      { ...oslo, seconds: "20", points: " 500 ", penalty: "５０" },
      { seconds: 20, points: 500, penalty: 50 },
    ],
    ["whole numbers with a point", { ...oslo, seconds: 20.0, points: "1e3" }, { points: 1_000 }],
    [
      "empty texts as nothing",
      { ...oslo, seconds: "", type: "", media: "" },
      { seconds: 0, media: [] },
    ],
    ["no as nothing", { ...oslo, media: false }, { media: [] }],
    [
      "options that differ by case alone",
      { question: "Cobalt?", options: ["CO", "Co", "C"], answer: "Co" },
      { options: ["CO", "Co", "C"], answer: ["Co"] },
    ],
    [
      "true and false the other way round",
      { ...oslo, type: "true/false", options: ["False", "True"], answer: "True" },
      { options: ["True", "False"], answer: ["true"] },
    ],
    [
      "media by extension",
      { ...oslo, media: ["/media/a.mp3"] },
      { media: [{ kind: MediaKind.AUDIO, url: "/media/a.mp3" }] },
    ],
    [
      "one medium without an array",
      { ...oslo, media: "/a.mp4" },
      { media: [{ kind: MediaKind.VIDEO }] },
    ],
    [
      "media with all they have",
      { ...oslo, media: [{ kind: "MEDIA_KIND_AUDIO", url: "/a", description: "bells" }] },
      { media: [{ kind: MediaKind.AUDIO, url: "/a", description: "bells" }] },
    ],
  ])("%s", (_, question, expected) => {
    const { questions, faults } = settle(question);
    expect(questions).toMatchObject([expected]);
    expect(faults).toEqual([]);
  });

  test("a quiz as GetQuiz gives it", () => {
    const { quizzes, faults } = read({ ...quizOf(oslo), quizId: "q", version: "3", author: "me" });
    expect(quizzes).toHaveLength(1);
    expect(faults.list()).toEqual([]);
  });

  test("a title and tags sent along", () => {
    const { quizzes } = read({ tags: ["b"], questions: [oslo] }, { title: "Sent", tags: ["a"] });
    expect(quizzes).toMatchObject([{ title: "Sent", tags: ["a", "b"] }]);
  });
});

describe("a bad question is reported by line, and costs nothing else", () => {
  test.each([
    ["a number", 7, "must be an object"],
    ["no question", { answer: "x", options: ["x", "y"] }, "the question is empty"],
    ["no answer", { question: "q", options: ["x", "y"] }, "there is no right answer"],
    ["an answer that is no option", { ...oslo, answer: "Paris" }, "none of the options"],
    ["two right answers", { ...oslo, answer: ["Oslo", "Bergen"] }, "QUESTION_TYPE_MULTIPLE_CHOICE"],
    ["a type that nobody knows", { ...oslo, type: "ORDER" }, '"ORDER" is not known'],
    [
      "the same option twice, and no other",
      { ...oslo, options: ["Oslo", "Oslo "] },
      'there is 1 option; give 2 to 8 (the empty or repeated option "Oslo" (line 20) was dropped)',
    ],
    ["an answer in another case", { ...oslo, answer: "oslo" }, 'spell it as the option is, "Oslo"'],
    ["an object as a text", { ...oslo, question: {} }, '"question" must be a text'],
    [
      "an object as an option",
      { ...oslo, options: ["a", {}] },
      '"options" must be a text or an array',
    ],
  ])("%s", (_, question, reason) => {
    const { questions, faults } = settle(oslo, question);
    expect(questions).toHaveLength(1);
    expect(faults).toMatchObject([
      { line: 15, mended: false, reason: expect.stringContaining(reason) },
    ]);
  });
});

describe("wrong options are drawn where a question has none", () => {
  const plain = ["Oslo", "Rome", "Paris", "Berlin", "Rome"].map((answer, i) => ({
    question: `Capital number ${i}?`,
    answer,
  }));

  test("up to three, of the other answers, each once, and reported", () => {
    const { questions, faults } = settle(...plain);
    expect(questions).toHaveLength(5);
    for (const question of questions) {
      expect([...question.options].sort()).toEqual(["Berlin", "Oslo", "Paris", "Rome"]);
    }
    expect(faults).toMatchObject([
      {
        mended: true,
        count: 5,
        lines: [7, 11, 15, 19, 23],
        reason: expect.stringContaining("3 wrong ones were drawn"),
      },
    ]);
  });

  test("the same for the same file, whatever the place of the right one", () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ question: `q${i}`, answer: `a${i}` }));
    expect(settle(...many)).toEqual(settle(...many));
    const places = settle(...many).questions.map(({ options, answer }) =>
      options.indexOf(answer[0] ?? ""),
    );
    expect(new Set(places).size).toBe(4);
  });

  test.each([
    ["case", "Co", "CO"],
    ["accents", "Zürich", "Zurich"],
    ["width", "１０", "10"],
    ["decimals", "1.0", "1"],
    ["ß and ss", "Maße", "Masse"],
    ["the final sigma", "λόγος", "ΛΟΓΟΣ"],
    ["the Turkish i", "İzmir", "izmir"],
  ])("none that differs from the right one by %s alone", (_, right, alike) => {
    const { questions } = settle(
      { question: "q", answer: right },
      { question: "r", answer: alike },
      ...plain,
    );
    for (const { options } of questions.slice(0, 2))
      expect(options.filter((option) => [right, alike].includes(option))).toHaveLength(1);
  });

  test("none that is right for the same question elsewhere in the quiz", () => {
    const { questions } = settle(
      { question: "A capital?", answer: "Oslo" },
      { question: "A capital?", answer: "Rome" },
      { question: "A river?", answer: "Rhine" },
    );
    expect(questions.map(({ options }) => [...options].sort())).toEqual([
      ["Oslo", "Rhine"],
      ["Rhine", "Rome"],
      ["Oslo", "Rhine", "Rome"],
    ]);
  });

  test("not from true and false", () => {
    const { questions, faults } = settle({ question: "s", answer: "true" }, plain[0]);
    expect(questions).toMatchObject([{ type: QuestionType.TRUE_FALSE, options: [] }]);
    expect(faults).toMatchObject([
      { mended: false, reason: expect.stringContaining('add "options"') },
    ]);
  });

  test("for several right answers too", () => {
    const { questions } = settle(
      { type: "MULTIPLE_CHOICE", question: "q", answer: ["a", "b"] },
      plain[0],
    );
    expect([...(questions[0]?.options ?? [])].sort()).toEqual(["Oslo", "a", "b"]);
  });
});

describe("a quiz is mended where that is safe", () => {
  test.each([
    ["a long title", { ...quizOf(oslo), title: "x".repeat(130) }, "was cut to 120"],
    ["a tag with a space", { ...quizOf(oslo), tags: ["Old Town"] }, 'became "old-town"'],
    ["a tag of no letters", { ...quizOf(oslo), tags: ["?!"] }, "was dropped"],
    ["tags that are none", { ...quizOf(oslo), tags: [{}] }, "the tags were dropped"],
    [
      "too many tags",
      { ...quizOf(oslo), tags: Array.from({ length: 21 }, (_, i) => `t${i}`) },
      "first 20 were kept",
    ],
    ["a field that nobody knows", { ...quizOf(oslo), level: 3 }, '"level" is not known'],
  ])("%s", (_, quiz, reason) => {
    const { quizzes, faults } = read(quiz);
    expect(quizzes).toHaveLength(1);
    expect(faults.list()).toMatchObject([
      { line: 1, mended: true, reason: expect.stringContaining(reason) },
    ]);
  });

  test("more than 500 questions become several quizzes", () => {
    const questions = Array.from({ length: 501 }, (_, i) => ({ ...oslo, question: `q${i}` }));
    const { quizzes } = read(quizOf(...questions));
    expect(quizzes.map((quiz) => [quiz.title, quiz.questions.length])).toEqual([
      ["Capitals 1", 500],
      ["Capitals 2", 1],
    ]);
  });
});

describe("a quiz that is none is reported, and costs nothing else", () => {
  test.each([
    ["no title", { questions: [oslo] }, "no title; add"],
    ["no questions", { title: "t", questions: [] }, "the quiz has no questions"],
    ["questions that are none", { title: "t", questions: "many" }, "the quiz has no questions"],
    ["a text", "quiz", "must be an object"],
  ])("%s", (_, quiz, reason) => {
    const { quizzes, faults } = read([quizOf(oslo), quiz]);
    expect(quizzes).toHaveLength(1);
    expect(faults.list()).toMatchObject([
      { line: 18, mended: false, reason: expect.stringContaining(reason) },
    ]);
  });
});

describe("a file that is none is unreadable, with the place", () => {
  test.each([
    ["broken JSON", '{\n"title": "x",\n}', "line 3, column 1: remove the comma"],
    ["a number", "7", "must hold a quiz"],
    ["nothing", "", "it ends too early"],
  ])("%s", (_, text, why) => {
    expect(read(text).unreadable).toContain(why);
  });

  test("bytes that are not UTF-8", () => {
    const western = Buffer.from('{"title":\n"caf\u00e9"}', "latin1");
    expect(readDesignJson(western, options).unreadable).toContain("not UTF-8: line 2");
    const wide = Buffer.from('\ufeff{"title": "x"}', "utf16le");
    expect(readDesignJson(wide, options).unreadable).toContain("UTF-16; save it as UTF-8");
  });
});

test("whatever the JSON, nothing throws and every question is kept or reported once", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.constantFrom("a", "b", "true"),
  );
  const anything = fc.oneof(
    text,
    fc.integer(),
    fc.constant(null),
    fc.array(text, { maxLength: 3 }),
  );
  const question = fc.oneof(
    anything,
    fc.record(
      {
        question: anything,
        answer: anything,
        options: anything,
        media: anything,
        type: anything,
        points: anything,
      },
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(fc.array(question, { minLength: 1, maxLength: 6 }), (questions) => {
      const { questions: kept, faults } = settle(...questions);
      expect(kept.length + faults.filter(({ mended }) => !mended).length).toBe(questions.length);
    }),
    { numRuns: 150 },
  );
  // Hundreds of documents: a second of one core, of which a busy machine gives a part.
}, 30_000);
