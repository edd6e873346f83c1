/** Draws from the bank: by tags, without repeats, the same for the same seed. */
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { aQuiz, refusalOf, startBank } from "./bank.js";

let bank: Awaited<ReturnType<typeof startBank>>;

beforeAll(async () => {
  bank = await startBank();
});
beforeEach(() => bank.emptied());
afterAll(() => bank?.stop());

/** A quiz of statements that are named by number. */
async function fill(title: string, tags: string[], from: number, to: number) {
  const questions = Array.from({ length: to - from }, (_, i) => ({
    type: QuestionType.TRUE_FALSE,
    question: `Statement ${from + i}`,
    answer: ["true"],
  }));
  const { quiz } = await bank.author.createQuiz({ quiz: aQuiz({ title, tags, questions }) });
  return quiz;
}

/** Quizzes like the one that is there, with a key and a question that may depend on their number i. */
async function copies(count: number, { keys, question }: { keys: string; question: string }) {
  await bank.sql.unsafe(`
    INSERT INTO quiz_master.quizzes
    SELECT 'copy' || i, version, author, created_at, updated_at,
      jsonb_set(document, '{questions,0,question}', to_jsonb(${question})), title, tags, 1, ARRAY[${keys}],
      content_hash, search_title, search_text, title_grams, text_grams
    FROM quiz_master.quizzes, generate_series(1, ${count}) i`);
}

async function draw(request: { tags?: string[]; count: number; seed?: number }) {
  const { questions } = await bank.as("host").drawQuestions(request);
  return questions.map(({ question }) => question);
}

test("only quizzes with all the tags are drawn from", async () => {
  await fill("Both", ["a", "b"], 0, 5);
  await fill("One", ["a"], 5, 50);
  const drawn = await draw({ tags: ["B", "a"], count: 500 });
  expect(drawn.sort()).toEqual([0, 1, 2, 3, 4].map((i) => `Statement ${i}`));
});

test("a question that stands in several quizzes is drawn once", async () => {
  await fill("One", ["a"], 0, 30);
  await fill("Two", ["a"], 20, 40);
  const drawn = await draw({ count: 500, seed: 5 });
  expect(drawn).toHaveLength(40);
  expect(new Set(drawn).size).toBe(40);
});

test("the same seed draws the same, another seed others", async () => {
  await fill("Many", [], 0, 300);
  const first = await draw({ count: 10, seed: 1 });
  expect(await draw({ count: 10, seed: 1 })).toEqual(first);
  expect(await draw({ count: 10, seed: 4_294_967_295 })).not.toEqual(first);
});

test("without a seed each draw is another", async () => {
  await fill("Many", [], 0, 300);
  expect(await draw({ count: 10 })).not.toEqual(await draw({ count: 10 }));
});

test("every question has the same chance", async () => {
  await fill("Small", [], 0, 10);
  await fill("Large", [], 10, 100);
  const counts = new Map<string, number>();
  for (let seed = 1; seed <= 200; seed++)
    for (const question of await draw({ count: 10, seed }))
      counts.set(question, (counts.get(question) ?? 0) + 1);
  // 2,000 draws of 100 questions: 20 each, give or take; 50 would be beyond all luck.
  expect(counts.size).toBe(100);
  expect(Math.max(...counts.values())).toBeLessThan(50);
});

test("every question has a like chance where there are more quizzes than a draw looks at", async () => {
  await fill("First", [], 0, 1);
  await copies(1_500, { keys: "md5(i::text)::uuid", question: "'Copy ' || i" });
  const counts = new Map<string, number>();
  for (let seed = 1; seed <= 30; seed++)
    for (const question of await draw({ count: 500, seed }))
      counts.set(question, (counts.get(question) ?? 0) + 1);
  // 15,000 draws of 1,501 questions: 10 each, give or take.
  expect(counts.size).toBe(1_501);
  expect(Math.max(...counts.values())).toBeLessThan(30);
});

test("quizzes that repeat each other do not hide the others", async () => {
  await fill("Same", ["a"], 0, 1);
  await copies(3_000, {
    keys: "question_keys[1]",
    question: "document #>> '{questions,0,question}'",
  });
  await fill("Others", ["a"], 1, 3);
  for (let seed = 1; seed <= 5; seed++)
    expect(await draw({ tags: ["a"], count: 3, seed })).toHaveLength(3);
});

test("an edited quiz is drawn from as it is now", async () => {
  const quiz = await fill("Quiz", ["a"], 0, 3);
  if (!quiz) throw new Error("no quiz came back");
  const questions = quiz.questions.slice(0, 1);
  await bank.author.updateQuiz({ quiz: { ...quiz, questions } });
  expect(await draw({ tags: ["a"], count: 10 })).toEqual(["Statement 0"]);
});

test("an answer comes with each question", async () => {
  await bank.author.createQuiz({ quiz: aQuiz() });
  const { questions } = await bank.as("service").drawQuestions({ count: 1 });
  expect(questions).toEqual(aQuiz().questions);
});

test("nothing to draw from is a refusal", async () => {
  expect((await refusalOf(draw({ count: 1 }))).reason).toBe(ErrorReason.NO_QUESTIONS);
  await fill("Quiz", ["a"], 0, 3);
  const refusal = await refusalOf(draw({ tags: ["b"], count: 1 }));
  expect(refusal.reason).toBe(ErrorReason.NO_QUESTIONS);
  expect(refusal.message).toContain("b");
});

test.each([
  ["count", { count: 0 }],
  ["count", { count: 501 }],
  ["tags", { count: 1, tags: ["?"] }],
])("%s out of bounds is refused: %j", async (field, request) => {
  const refusal = await refusalOf(draw(request));
  expect(refusal.reason).toBe(ErrorReason.INVALID_FIELD);
  expect(refusal.metadata.field).toBe(field);
});
