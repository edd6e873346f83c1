/** Single quizzes through gRPC: created, read, changed by version, removed. */
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { aQuiz, refusalOf, startBank } from "./bank.js";

let bank: Awaited<ReturnType<typeof startBank>>;

beforeAll(async () => {
  bank = await startBank();
});
beforeEach(() => bank.emptied());
afterAll(() => bank?.stop());

async function created(changes: Parameters<typeof aQuiz>[0] = {}) {
  const { quiz } = await bank.author.createQuiz({ quiz: aQuiz(changes) });
  if (!quiz) throw new Error("no quiz came back");
  return quiz;
}

test("a quiz is read back as it was stored: version 1, its author, texts in stored form", async () => {
  const quiz = await created({
    title: "  Capitals ",
    tags: ["Geography"],
    version: 9n,
    author: "x",
  });
  expect(quiz).toMatchObject({
    title: "Capitals",
    tags: ["geography"],
    version: 1n,
    author: "the-author",
    quizId: expect.stringMatching(/^[0-9a-f]{20}$/),
  });
  expect(await bank.author.getQuiz({ quizId: quiz.quizId })).toMatchObject({ quiz });
});

test("a chosen id is taken once", async () => {
  expect(await created({ quizId: "quiz_1" })).toMatchObject({ quizId: "quiz_1" });
  const refusal = await refusalOf(created({ quizId: "quiz_1", title: "Another" }));
  expect(refusal.reason).toBe(ErrorReason.QUIZ_EXISTS);
  const { quiz } = await bank.author.getQuiz({ quizId: "quiz_1" });
  expect(quiz?.title).toBe("Capitals");
});

test("without an id the same quiz may be there twice", async () => {
  const [one, two] = [await created(), await created()];
  expect(one.quizId).not.toBe(two.quizId);
});

test("an update replaces the content and counts the version", async () => {
  const quiz = await created();
  const change = { ...quiz, title: "Capital cities", tags: [], author: "somebody else" };
  const { quiz: updated } = await bank.author.updateQuiz({ quiz: change });
  expect(updated).toMatchObject({ title: "Capital cities", tags: [], version: 2n });
  expect(updated).toMatchObject({ author: quiz.author, createdAt: quiz.createdAt });
  expect(await bank.author.getQuiz({ quizId: quiz.quizId })).toMatchObject({ quiz: updated });
});

test("an update of an old version is refused with the version that holds", async () => {
  const quiz = await created();
  await bank.author.updateQuiz({ quiz });
  const refusal = await refusalOf(bank.author.updateQuiz({ quiz }));
  expect(refusal.reason).toBe(ErrorReason.VERSION_MISMATCH);
  expect(refusal.metadata).toEqual({ version: "2" });
});

test("of many updates at once one wins, and every other is told the winner's version", async () => {
  const quiz = await created();
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      bank.author.updateQuiz({ quiz: { ...quiz, title: `Author ${i}` } }).then(
        () => "won",
        (error) => error.metadata.version,
      ),
    ),
  );
  expect(outcomes.sort()).toEqual([...Array.from({ length: 19 }, () => "2"), "won"]);
});

test("a version beyond all counting is a mismatch", async () => {
  const quiz = await created();
  const refusal = await refusalOf(
    bank.author.updateQuiz({ quiz: { ...quiz, version: 2n ** 64n - 1n } }),
  );
  expect(refusal.reason).toBe(ErrorReason.VERSION_MISMATCH);
});

describe("a quiz is removed", () => {
  test("at the version that was read", async () => {
    const { quizId } = await created();
    await bank.author.deleteQuiz({ quizId, version: 1n });
    expect((await refusalOf(bank.author.getQuiz({ quizId }))).reason).toBe(
      ErrorReason.QUIZ_NOT_FOUND,
    );
  });

  test("at any version when none is named", async () => {
    const quiz = await created();
    await bank.author.updateQuiz({ quiz });
    await bank.author.deleteQuiz({ quizId: quiz.quizId });
    const refusal = await refusalOf(bank.author.deleteQuiz({ quizId: quiz.quizId }));
    expect(refusal.reason).toBe(ErrorReason.QUIZ_NOT_FOUND);
  });

  test("but not at an old version", async () => {
    const quiz = await created();
    await bank.author.updateQuiz({ quiz });
    const refusal = await refusalOf(bank.author.deleteQuiz({ quizId: quiz.quizId, version: 1n }));
    expect(refusal.reason).toBe(ErrorReason.VERSION_MISMATCH);
    expect(refusal.metadata).toEqual({ version: "2" });
  });
});

describe("a quiz that nobody has", () => {
  test.each(["getQuiz", "deleteQuiz", "exportQuiz"] as const)("%s", async (method) => {
    const refusal = await refusalOf(bank.author[method]({ quizId: "nobody-has-it" }));
    expect(refusal.reason).toBe(ErrorReason.QUIZ_NOT_FOUND);
  });

  test("updateQuiz", async () => {
    const quiz = aQuiz({ quizId: "nobody-has-it", version: 1n });
    const refusal = await refusalOf(bank.author.updateQuiz({ quiz }));
    expect(refusal.reason).toBe(ErrorReason.QUIZ_NOT_FOUND);
  });
});

test.each([
  ["dots", "a.b"],
  ["stars", "*"],
  ["a space", "a b"],
  ["an emoji", "🦊"],
  ["SQL", "'; DROP TABLE quizzes; --"],
  ["a megabyte", "x".repeat(1_000_000)],
])("an id of %s is refused everywhere", async (_, quizId) => {
  const calls = [
    bank.author.createQuiz({ quiz: aQuiz({ quizId }) }),
    bank.author.updateQuiz({ quiz: aQuiz({ quizId }) }),
    bank.author.getQuiz({ quizId }),
    bank.author.deleteQuiz({ quizId }),
    bank.author.exportQuiz({ quizId }),
  ];
  for (const refusal of await Promise.all(calls.map(refusalOf))) {
    expect(refusal.reason).toBe(ErrorReason.INVALID_FIELD);
    expect(refusal.metadata.field).toMatch(/quiz_id$/);
  }
});

test("a quiz that breaks a rule is refused with question and field, at creation and at update", async () => {
  const quiz = await created();
  const broken = {
    ...quiz,
    quizId: quiz.quizId,
    questions: quiz.questions.map((each) => ({ ...each, answer: ["Oslo", "Bergen"] })),
  };
  for (const call of [
    bank.author.createQuiz({ quiz: broken }),
    bank.author.updateQuiz({ quiz: broken }),
  ]) {
    const refusal = await refusalOf(call);
    expect(refusal.reason).toBe(ErrorReason.QUIZ_INVALID);
    expect(refusal.metadata).toEqual({ question: "1", field: "answer" });
    expect(refusal.message).toContain("exactly one right answer");
  }
});

test("a request without a quiz, and a quiz without questions, are refused", async () => {
  const refusals = [
    await refusalOf(bank.author.createQuiz({})),
    await refusalOf(bank.author.createQuiz({ quiz: aQuiz({ questions: [] }) })),
  ];
  expect(refusals.map((refusal) => refusal.reason)).toEqual([
    ErrorReason.QUIZ_INVALID,
    ErrorReason.QUIZ_INVALID,
  ]);
  expect(refusals[1]?.metadata).toEqual({ field: "questions" });
});

describe("the largest quiz is stored, changed and found by its words", () => {
  const statements = (textOf: (q: number) => string) =>
    Array.from({ length: 500 }, (_, q) => ({
      type: QuestionType.TRUE_FALSE,
      question: textOf(q).slice(0, 490),
      answer: ["true"],
    }));
  const range = (length: number, part: (w: number) => string) =>
    Array.from({ length }, (_, w) => part(w));

  // As many different pieces as fit: what takes most room in a search index.
  test.each([
    [
      "of short words",
      statements((q) =>
        range(55, (w) => `${(q * 55 + w).toString(36)}-${w.toString(36)}z`).join(" "),
      ),
      "0-0z",
    ],
    [
      "of Han characters",
      statements((q) =>
        range(490, (w) => String.fromCodePoint(0x4e00 + ((q * 490 + w * (q + 1)) % 20_000))).join(
          "",
        ),
      ),
      String.fromCodePoint(0x4e00, 0x4e01),
    ],
  ])("%s", async (_, questions, text) => {
    const patient = { timeoutMs: 30_000 };
    const given = aQuiz({ title: "Zanzibar", questions });
    const { quiz } = await bank.author.createQuiz({ quiz: given }, patient);
    if (!quiz) throw new Error("no quiz came back");
    await bank.author.updateQuiz({ quiz: { ...quiz, title: "Sansibar" } }, patient);
    for (const each of [text, "sansibar"]) {
      const { quizzes } = await bank.author.listQuizzes({ text: each });
      expect(quizzes).toMatchObject([{ quizId: quiz.quizId, questions: 500 }]);
    }
  });
});

test("options that differ by case alone are kept, in a new quiz and in a changed one", async () => {
  const cobalt = { question: "Cobalt?", options: ["CO", "Co", "C"], answer: ["Co"] };
  const quiz = await created({ questions: [cobalt] });
  expect(quiz.questions).toMatchObject([{ ...cobalt, type: QuestionType.SINGLE_CHOICE }]);
  const questions = quiz.questions.map((each) => ({ ...each, answer: ["CO"] }));
  const { quiz: changed } = await bank.author.updateQuiz({ quiz: { ...quiz, questions } });
  expect(changed?.questions).toMatchObject([{ ...cobalt, answer: ["CO"] }]);
});

test("a quiz that no session can hold is refused where it is made and where it grows", async () => {
  const option = (first: string) => first + "史".repeat(199);
  const questions = Array.from({ length: 300 }, (_, i) => ({
    question: `${i}${"歴".repeat(490)}`,
    options: ["い", "ろ", "は", "に"].map(option),
    answer: [option("い")],
  }));
  const quiz = await created();
  for (const call of [
    () => created({ questions }),
    () => bank.author.updateQuiz({ quiz: { ...quiz, questions: aQuiz({ questions }).questions } }),
  ]) {
    const refusal = await refusalOf(call());
    expect(refusal.reason).toBe(ErrorReason.TOO_LARGE);
    expect(refusal.metadata).toEqual({ limit: "FROZEN_QUIZ_BYTES_MAX", max: "900000" });
    expect(refusal.message).toMatch(/the first \d+ fit into one/);
  }
});
