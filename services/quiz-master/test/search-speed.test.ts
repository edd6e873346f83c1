/** Search in a bank of 50,000 questions: how long it takes, and that an index does the work. */
import { ImportFormat, type QuizHead } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { searchAll } from "../src/adapters/quiz-search.js";
import { parseSearch } from "../src/domain/search-query.js";
import { startBank } from "./bank.js";

const QUESTIONS = 50_000;
const P99_MAX_MS = 100;
/** Others are at work on a machine of tests: the best of so many rounds counts, less what they cost. */
const ROUNDS = 5;
const SYLLABLES =
  "ba be bi bo da de di du fa fe ga ge ha he ka ki ko la le li lo ma me mi mo na ne ni no pa pe ra re ri ro sa se si so ta te ti to wa we zu schicht".split(
    " ",
  );
const KANJI = [..."歴史地理科学数学音楽日本東京大阪世界戦争文化経済動物植物"];

/** Numbers in [0, 1) that are the same in each run (mulberry32). */
function drawer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const draw = drawer(1);
const oneOf = <T>(list: readonly T[], at = draw()): T => list[Math.floor(at * list.length)] as T;
const textOf = (length: number, part: () => string) => Array.from({ length }, part).join("");
const vocabulary = Array.from({ length: 8_000 }, () =>
  textOf(1 + Math.floor(draw() * 4), () => oneOf(SYLLABLES)),
);
/** Few words are in every question and most in few, as in any language. */
const word = () => oneOf(vocabulary, draw() ** 4);

function questionText(): string {
  if (draw() < 0.1) return textOf(20 + draw() * 20, () => oneOf(KANJI));
  return Array.from({ length: 6 + Math.floor(draw() * 10) }, word).join(" ");
}

/** What people type: frequent and rare words, parts of them, several, and what is nowhere. */
function searches(): string[] {
  return Array.from({ length: 60 }, () => [
    word(),
    oneOf(vocabulary),
    oneOf(vocabulary).slice(0, 4),
    `${word()} ${oneOf(vocabulary)}`,
    `${word()} -${word()}`,
    `${word()} or ${oneOf(vocabulary)}`,
    textOf(2, () => oneOf(KANJI)),
    oneOf(KANJI),
    "nowhere at all",
    oneOf(SYLLABLES).slice(0, 1),
  ]).flat();
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

describe.each([
  ["20 questions a quiz", 20],
  ["one question a quiz", 1],
])("50,000 questions, %s", (_, questionsPerQuiz) => {
  let bank: Awaited<ReturnType<typeof startBank>>;

  beforeAll(async () => {
    bank = await startBank();
    for (let from = 0; from < QUESTIONS; from += 10_000) {
      const blocks = Array.from(
        { length: 10_000 },
        (_, i) => `#Q ${questionText()} ${from + i}\n^ yes\nA yes\nB no\n`,
      );
      await bank.author.importQuiz(
        {
          format: ImportFormat.OPEN_TRIVIA_QA,
          title: `${word()} ${word()} ${from}`,
          content: Buffer.from(blocks.join("\n")),
          questionsPerQuiz,
        },
        { timeoutMs: 60_000 },
      );
    }
  }, 300_000);
  afterAll(() => bank?.stop());

  /** Times of searches, and of calls that read one row: what the machine does to both is noise. */
  async function measure() {
    const [times, noise]: [number[], number[]] = [[], []];
    for (const text of searches()) {
      times.push(await timeOf(() => bank.author.listQuizzes({ text })));
      noise.push(await timeOf(() => bank.author.listQuizzes({ pageSize: 1 })));
    }
    times.sort((a, b) => a - b);
    noise.sort((a, b) => a - b);
    return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), noise: quantile(noise, 0.99) };
  }

  test(`are searched with a p99 below ${P99_MAX_MS} ms`, async () => {
    const [row] =
      await bank.sql`SELECT sum(question_count)::int AS questions FROM quiz_master.quizzes`;
    expect(row?.questions).toBe(QUESTIONS);
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS && best >= P99_MAX_MS; round++) {
      const { p50, p99, noise } = await measure();
      best = Math.min(best, p99 - noise);
      process.stdout.write(
        `search in 50,000 questions, ${questionsPerQuiz} a quiz: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (reading one row: p99 ${noise.toFixed(1)} ms)\n`,
      );
    }
    expect(best).toBeLessThan(P99_MAX_MS);
  }, 300_000);

  test.each([
    ["a rare word", "title"],
    ["a rare word", "text"],
  ] as const)("%s is found in the %s by an index", async (__, tier) => {
    const rare = KANJI.slice(0, 3).join("");
    const listing = { tags: [], after: undefined, limit: 51 };
    const { text, parameters } = searchAll(listing, parseSearch(rare), tier);
    const plan = await bank.sql.unsafe(`EXPLAIN ${text}`, parameters as never[]);
    expect(plan.map((row) => row["QUERY PLAN"]).join("\n")).toContain(`quizzes_${tier}_grams`);
  });

  test("the same search finds the same as a look at every text would", async () => {
    const found = async (text: string) => {
      const heads: QuizHead[] = [];
      let pageToken = "";
      do {
        const page = await bank.author.listQuizzes({ text, pageSize: 200, pageToken });
        heads.push(...page.quizzes);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return heads.map(({ quizId }) => quizId).sort();
    };
    for (const text of [oneOf(vocabulary, 0.3), oneOf(KANJI), "zu"]) {
      const needle =
        text === "zu" ? " zu" : text.length === 1 && /\w/.test(text) ? ` ${text} ` : text;
      const rows = await bank.sql`
        SELECT quiz_id FROM quiz_master.quizzes WHERE strpos(search_text, ${needle}) > 0`;
      expect(await found(text)).toEqual(rows.map((row) => row.quiz_id).sort());
    }
  }, 120_000);
});
