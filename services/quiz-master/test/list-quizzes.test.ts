/** The catalogue: pages that hold still, tags, words. */
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { QuizHead } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { aQuiz, refusalOf, startBank } from "./bank.js";

let bank: Awaited<ReturnType<typeof startBank>>;

beforeAll(async () => {
  bank = await startBank();
});
beforeEach(() => bank.emptied());
afterAll(() => bank?.stop());

async function fill(...quizzes: Parameters<typeof aQuiz>[0][]) {
  for (const changes of quizzes) await bank.author.createQuiz({ quiz: aQuiz(changes) });
}

const titlesOf = ({ quizzes }: { quizzes: QuizHead[] }) => quizzes.map(({ title }) => title);

const numbered = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ title: `Quiz ${i}` }));

/** All pages, with what happens between them. */
async function pages(pageSize: number, between: () => Promise<unknown> = async () => {}) {
  const seen: string[][] = [];
  let pageToken = "";
  do {
    const page = await bank.as("host").listQuizzes({ pageSize, pageToken });
    seen.push(titlesOf(page));
    pageToken = page.nextPageToken;
    await between();
  } while (pageToken !== "");
  return seen;
}

describe("pages", () => {
  test("hold every quiz once, newest first, and end", async () => {
    await fill(...numbered(7));
    expect(await pages(3)).toEqual([
      ["Quiz 6", "Quiz 5", "Quiz 4"],
      ["Quiz 3", "Quiz 2", "Quiz 1"],
      ["Quiz 0"],
    ]);
  });

  test("end without an empty one when the last is full", async () => {
    await fill(...numbered(4));
    expect(await pages(2)).toHaveLength(2);
  });

  test("hold still while quizzes come", async () => {
    await fill(...numbered(6));
    expect((await pages(2, () => fill({ title: "New" }))).flat()).toEqual([
      "Quiz 5",
      "Quiz 4",
      "Quiz 3",
      "Quiz 2",
      "Quiz 1",
      "Quiz 0",
    ]);
  });

  test("hold every quiz of one moment once", async () => {
    await bank.sql`TRUNCATE quiz_master.quizzes`;
    await fill(...numbered(9));
    await bank.sql`UPDATE quiz_master.quizzes SET updated_at = '2026-11-24T08:00:00Z'`;
    expect(new Set((await pages(2)).flat()).size).toBe(9);
  });

  test("begin with what changed last", async () => {
    await fill(...numbered(2));
    const [, older] = (await bank.author.listQuizzes({})).quizzes;
    const { quiz } = await bank.author.getQuiz({ quizId: older?.quizId ?? "" });
    await bank.author.updateQuiz({ quiz });
    expect(titlesOf(await bank.author.listQuizzes({}))).toEqual(["Quiz 0", "Quiz 1"]);
  });

  test("have 50 quizzes where nothing is said", async () => {
    await fill(...numbered(51));
    expect((await bank.author.listQuizzes({})).quizzes).toHaveLength(50);
  });
});

describe("a search", () => {
  beforeEach(() =>
    fill(
      { title: "Rivers", tags: ["geography", "water"] },
      {
        title: "Oceans",
        tags: ["water"],
        questions: aQuiz().questions.map((each) => ({
          ...each,
          question: "How deep is the Mariana Trench?",
        })),
      },
      { title: "Été à Zürich", tags: [] },
    ),
  );

  test.each([
    ["one tag", { tags: ["water"] }, ["Oceans", "Rivers"]],
    ["a tag in capitals", { tags: ["WATER"] }, ["Oceans", "Rivers"]],
    ["all of several tags", { tags: ["water", "geography"] }, ["Rivers"]],
    ["a tag that nobody has", { tags: ["fire"] }, []],
    ["a word of the title", { text: "rivers" }, ["Rivers"]],
    ["a word of a question", { text: "Mariana" }, ["Oceans"]],
    ["letters beyond ASCII, composed otherwise", { text: "zu\u0308rich" }, ["Été à Zürich"]],
    ["words that are not there", { text: "norway -mariana" }, ["Été à Zürich", "Rivers"]],
    ["either of two words", { text: "mariana or zürich" }, ["Été à Zürich", "Oceans"]],
    [
      "a word, or without another",
      { text: "mariana or -trench" },
      ["Été à Zürich", "Rivers", "Oceans"],
    ],
    ["a phrase", { text: '"mariana trench"' }, ["Oceans"]],
    ["words and a tag", { text: "norway", tags: ["geography"] }, ["Rivers"]],
    ["odd syntax", { text: '"&|!():* <-> \\' }, []],
  ])("by %s", async (_, query, titles) => {
    expect(titlesOf(await bank.author.listQuizzes(query))).toEqual(titles);
  });
});

describe("words are found as people type them", () => {
  const asking = (title: string, question: string) => ({
    title,
    questions: aQuiz().questions.map((each) => ({ ...each, question })),
  });

  beforeEach(() =>
    fill(
      asking("Weltgeschichte", "Wer war Straßenbauer in Łódź?"),
      asking("歴史クイズ", "東京タワーは何年に建てられましたか？"),
      asking("Programming", "Is C++ older than C#, and what is Node.js?"),
      asking("Languages", "C is the older one."),
      asking("เกม", "สงครามโลกครั้งที่สอง"),
      asking("한국사", "조선은 언제 세워졌습니까?"),
      asking("Physics", "What does E=mc² say of ΛΌΓΟΣ?"),
      asking("İstanbul", "Rain in Spain. Is AI there?"),
    ),
  );

  test.each([
    ["a part of a word", "Weltgesch", ["Weltgeschichte"]],
    ["the end of a word", "geschichte", ["Weltgeschichte"]],
    ["two Japanese characters", "歴史", ["歴史クイズ"]],
    ["a single one", "歴", ["歴史クイズ"]],
    ["Japanese in the midst of a sentence", "何年に建て", ["歴史クイズ"]],
    ["half-width kana", "ﾀﾜｰ", ["歴史クイズ"]],
    ["Thai", "สงคราม", ["เกม"]],
    ["Korean without its particle", "조선", ["한국사"]],
    ["C++", "C++", ["Programming"]],
    ["C#", "c#", ["Programming"]],
    ["C++ but not C#", "C++ -C#", []],
    ["C, which is neither", "C", ["Languages"]],
    ["a name with a point", "node.js", ["Programming"]],
    ["a formula", "E=mc2", ["Physics"]],
    ["ß as ss", "STRASSEN", ["Weltgeschichte"]],
    ["letters with strokes", "lodz", ["Weltgeschichte"]],
    ["the final sigma", "λογος", ["Physics"]],
    ["the Turkish i", "istanbul", ["İstanbul"]],
    ["full-width letters", "Ｐｈｙｓｉｃｓ", ["Physics"]],
    ["two letters at the beginning of words", "ai", ["İstanbul"]],
    ["a phrase across punctuation", '"in spain is"', ["İstanbul"]],
    ["no phrase across questions", '"history oslo"', []],
    ["a word without another", "older -programming", ["Languages"]],
    ["only what it shall not hold", "-older -what -wer -rain -東 -สงคราม", ["한국사"]],
    [
      "what it shall not hold as a word",
      "-weltgesch -older -what -rain -東 -สง -조선",
      ["Weltgeschichte"],
    ],
    ["signs that stand for anything elsewhere", "%", []],
    ["an underscore", "_", []],
  ])("%s", async (_, text, titles) => {
    expect(titlesOf(await bank.author.listQuizzes({ text }))).toEqual(titles);
  });

  test("in titles first, then in questions, each newest first, on pages that hold still", async () => {
    await fill(
      asking("Older title of rivers", "?a"),
      asking("One", "Which rivers?"),
      asking("Newer title of rivers", "?b"),
      asking("Two", "What rivers!"),
    );
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await bank.author.listQuizzes({ text: "rivers", pageSize: 1, pageToken });
      seen.push(...titlesOf(page));
      pageToken = page.nextPageToken;
      await fill(asking("Newest title of rivers", "?c"));
    } while (pageToken !== "" && seen.length < 10);
    expect(seen).toEqual(["Newer title of rivers", "Older title of rivers", "Two", "One"]);
  });

  test("as the quiz is after a change", async () => {
    const [head] = (await bank.author.listQuizzes({ text: "Weltgesch" })).quizzes;
    const { quiz } = await bank.author.getQuiz({ quizId: head?.quizId ?? "" });
    await bank.author.updateQuiz({ quiz: { ...aQuiz(), ...quiz, title: "Erdkunde" } });
    expect(titlesOf(await bank.author.listQuizzes({ text: "Weltgesch" }))).toEqual([]);
    expect(titlesOf(await bank.author.listQuizzes({ text: "dkund" }))).toEqual(["Erdkunde"]);
  });
});

test.each([
  ["page_size", { pageSize: 201 }],
  ["page_token", { pageToken: "next please" }],
  ["tags", { tags: ["two words"] }],
  ["text", { text: "x".repeat(201) }],
  ["text", { text: "a\0b" }],
])("%s out of bounds is refused: %j", async (field, query) => {
  const refusal = await refusalOf(bank.author.listQuizzes(query));
  expect(refusal.reason).toBe(ErrorReason.INVALID_FIELD);
  expect(refusal.metadata.field).toBe(field);
});
