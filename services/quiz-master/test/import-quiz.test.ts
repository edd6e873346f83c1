/** Imports through gRPC: dirty files, repeated files, large files, and files that are none. */
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import {
  HtmlEntities,
  ImportFormat,
  type ImportQuizRequest,
} from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { aQuiz, refusalOf, startBank } from "./bank.js";

let bank: Awaited<ReturnType<typeof startBank>>;

beforeAll(async () => {
  bank = await startBank();
});
beforeEach(() => bank.emptied());
afterAll(() => bank?.stop());

const TRIVIA = { format: ImportFormat.OPEN_TRIVIA_QA, title: "Trivia" };
const JSON_FILE = { format: ImportFormat.JSON };

function importFile(
  content: string | Uint8Array,
  request: Partial<Omit<ImportQuizRequest, "$typeName">> = TRIVIA,
) {
  return bank.author.importQuiz(
    { ...request, content: Buffer.from(content as Uint8Array) },
    { timeoutMs: 30_000 },
  );
}

type Request = Parameters<typeof importFile>[1];

async function stored() {
  const [row] = await bank.sql`SELECT count(*)::int AS quizzes FROM quiz_master.quizzes`;
  return row?.quizzes as number;
}

const block = (i: number) => `#Q Which number is ${i}?\n^ ${i}\nA ${i + 1}\nB ${i}\nC ${i + 2}\n\n`;

/** LF and CRLF, UTF-8 and Windows-1252, and every kind of bad row. */
const DIRTY = Buffer.concat([
  Buffer.from(
    "#Q Which tank was called Brummbär?\r\n^ Sturmpanzer IV\r\nA Tiger\r\nB Sturmpanzer IV\r\n\r\n",
  ),
  Buffer.from(
    "#Q Who said \x93I can see clearly\x94?\n^ J\xe9r\xf4me\nA J\xe9r\xf4me\nB Anna\n\n",
    "latin1",
  ),
  Buffer.from("#Q No answer\nA a\nB b\n\n#Q No match\n^ c\nA a\nB b\n\n"),
  Buffer.from(
    "#Q Repeated\n^ a\nA a\nB a\nC b\n\n#Q Finish this:\n\nRoses are red\n^ violets\nA violets\nB tulips\n",
  ),
]);

test("a dirty file loses its bad rows only, each reported by line", async () => {
  const { quizzes, questions, faults } = await importFile(DIRTY);
  expect(questions).toBe(4);
  expect(faults.map(({ line, mended, excerpt }) => [line, mended, excerpt])).toEqual([
    [11, false, "No answer A a B b"],
    [15, false, "No match"],
    [20, true, "Repeated"],
  ]);
  const { quiz } = await bank.author.getQuiz({ quizId: quizzes[0]?.quizId ?? "" });
  expect(quiz?.questions.map(({ question, answer }) => [question, ...answer])).toEqual([
    ["Which tank was called Brummbär?", "Sturmpanzer IV"],
    ["Who said “I can see clearly”?", "Jérôme"],
    ["Repeated", "a"],
    ["Finish this:\nRoses are red", "violets"],
  ]);
});

test("the same file again stores nothing and says what is there", async () => {
  const first = await importFile(DIRTY, { ...TRIVIA, questionsPerQuiz: 2 });
  const again = await importFile(DIRTY, { ...TRIVIA, questionsPerQuiz: 2 });
  expect(again).toEqual(first);
  expect(await stored()).toBe(2);
});

test("the same file by several authors at once is stored once", async () => {
  const answers = await Promise.all(Array.from({ length: 6 }, () => importFile(DIRTY)));
  expect(await stored()).toBe(1);
  expect(new Set(answers.map(({ quizzes }) => quizzes[0]?.quizId)).size).toBe(1);
});

test("a quiz that changed after its import is not taken for the file's", async () => {
  const { quizzes } = await importFile(DIRTY);
  const { quiz } = await bank.author.getQuiz({ quizId: quizzes[0]?.quizId ?? "" });
  await bank.author.updateQuiz({ quiz: { ...aQuiz(), ...quiz, title: "Mine now" } });
  await importFile(DIRTY);
  expect(await stored()).toBe(2);
});

test("numbered quizzes with the tags that were sent along", async () => {
  const file = Array.from({ length: 5 }, (_, i) => block(i)).join("");
  const { quizzes } = await importFile(file, { ...TRIVIA, tags: ["Numbers"], questionsPerQuiz: 2 });
  expect(quizzes.map(({ title, tags, questions }) => [title, tags, questions])).toEqual([
    ["Trivia 1", ["numbers"], 2],
    ["Trivia 2", ["numbers"], 2],
    ["Trivia 3", ["numbers"], 1],
  ]);
});

test("an exported quiz is imported as the same quiz", async () => {
  const { quiz } = await bank.author.createQuiz({ quiz: aQuiz() });
  const { content } = await bank.author.exportQuiz({ quizId: quiz?.quizId ?? "" });
  const same = await importFile(content, JSON_FILE);
  expect(same).toMatchObject({ faults: [], quizzes: [{ quizId: quiz?.quizId }] });
  await bank.emptied();
  const { quizzes } = await importFile(content, JSON_FILE);
  const { quiz: copy } = await bank.author.getQuiz({ quizId: quizzes[0]?.quizId ?? "" });
  expect(copy).toMatchObject({ title: quiz?.title, tags: quiz?.tags, questions: quiz?.questions });
});

describe("10,000 questions are stored in less than 10 s", () => {
  const numbers = Array.from({ length: 10_000 }, (_, i) => i);
  test.each<[string, string, Request, number]>([
    ["as OpenTriviaQA", numbers.map(block).join(""), TRIVIA, 20],
    [
      "as JSON with options",
      jsonOf((i) => ({ question: `Which is ${i}?`, answer: `${i}`, options: [`${i}`, "none"] })),
      JSON_FILE,
      20,
    ],
    [
      "as JSON without options",
      jsonOf((i) => ({ question: `Which is ${i}?`, answer: `${i}` })),
      JSON_FILE,
      20,
    ],
    ["as 10,000 quizzes", numbers.map(block).join(""), { ...TRIVIA, questionsPerQuiz: 1 }, 10_000],
  ])("%s", async (_, file, request, quizCount) => {
    const startedAt = performance.now();
    const { quizzes, questions } = await importFile(file, request);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect([quizzes.length, questions]).toEqual([quizCount, 10_000]);
  });

  function jsonOf(question: (i: number) => object): string {
    return JSON.stringify({ title: "Many", questions: numbers.map(question) });
  }
});

describe("a file that is of no use is refused and stores nothing", () => {
  test.each<[string, string | Uint8Array, Request, ErrorReason, string]>([
    ["of another format", "once upon a time", TRIVIA, ErrorReason.MALFORMED, "#Q"],
    ["that is empty", "", TRIVIA, ErrorReason.MALFORMED, "#Q"],
    [
      "of broken JSON",
      '{"title": "x",\n"questions": [}',
      JSON_FILE,
      ErrorReason.MALFORMED,
      "line 2, column 15",
    ],
    ["of bytes", Buffer.from([0xff, 0xfe, 0x00]), JSON_FILE, ErrorReason.MALFORMED, "UTF-8"],
    ["without quizzes", "[]", JSON_FILE, ErrorReason.QUIZ_INVALID, "no quiz"],
    [
      "without questions",
      '{"title": "x", "questions": []}',
      JSON_FILE,
      ErrorReason.QUIZ_INVALID,
      "line 1: the quiz has no questions",
    ],
    [
      "of bad rows only",
      "#Q a\n\n#Q b\n",
      TRIVIA,
      ErrorReason.QUIZ_INVALID,
      "line 3: the question has no right answer",
    ],
    ["without a format", block(1), { title: "x" }, ErrorReason.INVALID_FIELD, "format"],
    [
      "of a format of tomorrow",
      block(1),
      { title: "x", format: 99 as ImportFormat },
      ErrorReason.INVALID_FIELD,
      "format",
    ],
    ["without a title", block(1), { ...TRIVIA, title: "" }, ErrorReason.INVALID_FIELD, "title"],
    ["with a bad tag", block(1), { ...TRIVIA, tags: ["a b"] }, ErrorReason.INVALID_FIELD, "tags"],
    [
      "for too many a quiz",
      block(1),
      { ...TRIVIA, questionsPerQuiz: 501 },
      ErrorReason.INVALID_FIELD,
      "questions_per_quiz",
    ],
  ])("%s", async (_, content, request, reason, message) => {
    const refusal = await refusalOf(importFile(content, request));
    expect(refusal.message).toContain(message);
    expect(refusal.reason).toBe(reason);
    expect(await stored()).toBe(0);
  });

  test("beyond 3 MiB, by name of the limit, and counted", async () => {
    const refusal = await refusalOf(importFile(Buffer.alloc(3 * 1024 * 1024 + 1, "#Q a\n")));
    expect(refusal.reason).toBe(ErrorReason.TOO_LARGE);
    expect(refusal.metadata).toEqual({ limit: "IMPORT_BYTES_MAX", max: "3145728" });
    expect(await bank.metrics()).toMatch(/quiz_limit_hits_total\{limit="IMPORT_BYTES_MAX".*\} 1/);
  });

  test("beyond what a message may be", async () => {
    const refusal = await refusalOf(importFile(Buffer.alloc(5 * 1024 * 1024)));
    expect(refusal.reason).toBe(ErrorReason.TOO_LARGE);
  });

  test("of more quizzes than one import may make", async () => {
    const file = Array.from({ length: 10_001 }, (_, i) => block(i)).join("");
    const refusal = await refusalOf(importFile(file, { ...TRIVIA, questionsPerQuiz: 1 }));
    expect(refusal.metadata).toEqual({ limit: "IMPORT_QUIZZES_MAX", max: "10000" });
  });
});

test("of 200,000 bad rows 10,000 are reported, and the good one is kept", async () => {
  const { questions, faults } = await importFile(`${"#Q\n".repeat(200_000)}${block(1)}`);
  expect(questions).toBe(1);
  expect(faults).toHaveLength(10_000);
  expect(faults.at(-1)?.reason).toContain("190000 more rows");
});

describe("HTML entities by the choice of the import", () => {
  const QUOTED = "#Q &quot;Fidelio&quot;?\n^ C&eacute;zanne\nA C&eacute;zanne\nB Anna\n";
  const json = JSON.stringify({
    title: "Entities",
    questions: [{ question: "&quot;Fidelio&quot;?", answer: "a", options: ["a", "b"] }],
  });

  test.each<[string, string, Request, string]>([
    ["OpenTriviaQA by itself", QUOTED, TRIVIA, '"Fidelio"?'],
    [
      "OpenTriviaQA that is about HTML",
      QUOTED,
      { ...TRIVIA, htmlEntities: HtmlEntities.KEEP },
      "&quot;Fidelio&quot;?",
    ],
    ["JSON by itself", json, JSON_FILE, "&quot;Fidelio&quot;?"],
    [
      "JSON that came from a web page",
      json,
      { ...JSON_FILE, htmlEntities: HtmlEntities.DECODE },
      '"Fidelio"?',
    ],
  ])("%s", async (_, content, request, question) => {
    const { quizzes, faults } = await importFile(content, request);
    const { quiz } = await bank.author.getQuiz({ quizId: quizzes[0]?.quizId ?? "" });
    expect(quiz?.questions[0]?.question).toBe(question);
    expect(faults).toMatchObject([
      { mended: true, count: 1, lines: [1], reason: expect.stringContaining("HTML entities") },
    ]);
  });

  test("of tomorrow are refused", async () => {
    const request = { ...TRIVIA, htmlEntities: 9 as HtmlEntities };
    const refusal = await refusalOf(importFile(QUOTED, request));
    expect(refusal.metadata.field).toBe("html_entities");
  });
});

describe("what broke a file stands first, before what was only noted", () => {
  const noted = Array.from({ length: 317 }, (_, i) => ({
    question: `&quot;${i}&quot;?`,
    answer: `${i}`,
  }));

  test("in the report", async () => {
    const broken = { question: "lost", answer: "x", options: ["y", "z"] };
    const file = JSON.stringify({ title: "Mixed", questions: [...noted, broken] }, null, 1);
    const { questions, faults } = await importFile(file, JSON_FILE);
    expect(questions).toBe(317);
    expect(faults).toMatchObject([
      { mended: false, excerpt: "lost", reason: expect.stringContaining("none of the options") },
      { mended: true, count: 317 },
      { mended: true, count: 317 },
    ]);
  });

  test("in the refusal", async () => {
    const lost = noted.map((each) => ({ ...each, options: ["y", "z"], media: ["bare.png"] }));
    // Notes on the quiz itself, which stands before its questions in the file.
    const tags = Array.from({ length: 8 }, (_, i) => `odd tag ${i}`);
    const file = JSON.stringify(
      { title: "Lost", tags, questions: [{ question: "" }, ...lost] },
      null,
      1,
    );
    const refusal = await refusalOf(importFile(file, JSON_FILE));
    expect(refusal.reason).toBe(ErrorReason.QUIZ_INVALID);
    expect(refusal.message).toMatch(
      /^nothing of the file can be used: line 14: the question is empty; /,
    );
    expect(refusal.message).toContain("none of the options");
    expect(refusal.metadata).toEqual({ field: "content", line: "14" });
  });
});

test("a quiz that no session can hold is refused with the limit and what to do", async () => {
  const long = "史".repeat(199);
  const questions = Array.from({ length: 300 }, (_, i) => ({
    question: `${i}${"歴".repeat(490)}`,
    options: ["い", "ろ", "は", "に"].map((first) => first + long),
    answer: `い${long}`,
  }));
  const file = JSON.stringify({ title: "歴史", questions });
  const refusal = await refusalOf(importFile(file, JSON_FILE));
  expect(refusal.reason).toBe(ErrorReason.TOO_LARGE);
  expect(refusal.metadata).toEqual({ limit: "FROZEN_QUIZ_BYTES_MAX", max: "900000" });
  const [, count] = /questions_per_quiz (\d+)/.exec(refusal.message) ?? [];
  const parts = await importFile(file, { ...JSON_FILE, questionsPerQuiz: Number(count) });
  expect(parts.questions).toBe(300);
});

test("imports and their faults are counted", async () => {
  const count = async (name: string) =>
    Number(new RegExp(`^${name}[^\\n]* (\\d+)$`, "m").exec(await bank.metrics())?.[1] ?? 0);
  const mended = 'quiz_bank_import_faults_total\\{format="OPEN_TRIVIA_QA",outcome="mended"';
  const before = await count(mended);
  await importFile(DIRTY);
  expect(await count(mended)).toBe(before + 1);
  expect(await bank.metrics()).toContain(
    'rpc_server_call_duration_seconds_count{component="quiz-master",rpc_method="ImportQuiz",error_type="OK"}',
  );
});
