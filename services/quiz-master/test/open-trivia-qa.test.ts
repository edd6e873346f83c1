/** The real files of OpenTriviaQA, dirt included. They stand outside the project: no files, no test. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ImportFormat } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBank } from "./bank.js";

const FOLDER = fileURLToPath(new URL("../../../../shared/data/opentriviaqa/", import.meta.url));

/** File, blocks in it, rows left out, rows mended. */
const FILES = [
  ["animals", 1_366, 0, 1],
  ["brain-teasers", 207, 9, 0],
  ["for-kids", 759, 0, 0],
  ["geography", 842, 0, 2],
  ["history", 1_645, 0, 2],
  ["science-technology", 2_486, 2, 3],
  ["video-games", 599, 0, 1],
] as const;

describe.skipIf(!existsSync(FOLDER))("the real files", () => {
  let bank: Awaited<ReturnType<typeof startBank>>;

  beforeAll(async () => {
    bank = await startBank();
  });
  afterAll(() => bank?.stop());

  const importFile = (name: string) =>
    bank.author.importQuiz(
      {
        format: ImportFormat.OPEN_TRIVIA_QA,
        title: name,
        tags: [name],
        content: readFileSync(FOLDER + name),
      },
      { timeoutMs: 30_000 },
    );

  test.each(FILES)(
    "%s: %i blocks, %i left out, %i mended",
    async (name, blocks, leftOut, mended) => {
      const { questions, faults } = await importFile(name);
      expect(questions).toBe(blocks - leftOut);
      expect(faults.filter((fault) => !fault.mended)).toHaveLength(leftOut);
      expect(faults.filter((fault) => fault.mended)).toHaveLength(mended);
    },
  );

  test("all again change nothing", async () => {
    const count = () => bank.sql`SELECT count(*), sum(question_count) FROM quiz_master.quizzes`;
    const before = await count();
    for (const [name] of FILES) await importFile(name);
    expect(await count()).toEqual(before);
  });

  test("no text is mojibake, and statements are true or false", async () => {
    const { questions } = await bank.author.drawQuestions({
      tags: ["history"],
      count: 500,
      seed: 1,
    });
    expect(JSON.stringify(questions.map(({ question }) => question))).not.toMatch(/â€|Ã/);
    const [row] = await bank.sql`
      SELECT count(*)::int AS statements
      FROM quiz_master.quizzes, jsonb_array_elements(document -> 'questions') AS question
      WHERE question ->> 'type' = 'QUESTION_TYPE_TRUE_FALSE'`;
    expect(row?.statements).toBe(1_123);
  });
});
