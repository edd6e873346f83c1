/** How PostgreSQL goes about each statement of this service with 200,000 quizzes of a million questions behind it. */
import { fileURLToPath } from "node:url";
import { migrate } from "@fanfare/common/postgres";
import { startPostgres } from "@fanfare/common/servers/postgres";
import type { Server } from "@fanfare/common/servers/server";
import type { Sql } from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  faultsOf,
  fill,
  notSent,
  preparedOf,
  recordingSql,
  type Sent,
  statementsOf,
} from "../../common/test/explained.js";
import type { PostgresLink } from "../src/adapters/postgres-link.js";
import { PostgresQuizBank } from "../src/adapters/postgres-quiz-bank.js";
import { gramsOf } from "../src/domain/grams.js";
import type { PagePosition } from "../src/domain/page-token.js";
import { parseSearch } from "../src/domain/search-query.js";
import { aQuiz } from "./bank.js";

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const BIG = ["quizzes"];
const QUIZZES = 200_000;
/** Of all quizzes, of a twentieth, of twenty, and of none. */
const TAGS = [[], ["all"], ["some"], ["some", "all"], ["few"], ["none"]];
/** Words of all titles, of twenty, of a thousandth of the texts, and of a fortieth, but of none of the newer half. */
const WORDS = ["quiz", "zebra", "rivers", "oceans"];
const SEARCHES = [
  ...WORDS,
  ...["rivers zebra", "rivers or zebra", "quiz -zebra", "rivers -oceans", "nowhere", "?!"],
  ...WORDS.flatMap((word) => [`-${word}`, `rivers or -${word}`]),
];

let server: Server;
let sql: Sql;
let sent: Sent[];

const grams = (text: string) => `'{${gramsOf(text).join(",")}}'::integer[]`;

beforeAll(async () => {
  server = await startPostgres({ fsync: false });
  ({ sql, sent } = recordingSql(server.url));
  await migrate(sql, "quiz_master", folder("../migrations"));
  // A quiz of five questions has hundreds of pieces, and an index of so many takes minutes to build. Plans
  // depend on how many quizzes have the pieces of a search, and on how long the index is: so each has those of the
  // words that are searched for, and one of its own.
  await fill(
    sql,
    ["quiz_master.quizzes"],
    `
    INSERT INTO quiz_master.quizzes
    SELECT 'q' || lpad(i::text, 7, '0'), 1, 'author', at, at,
      jsonb_build_object('title', word, 'questions', questions), word || ' ' || i,
      ARRAY['all'] || CASE WHEN i % 20 = 0 THEN '{some}'::text[] ELSE '{}' END
        || CASE WHEN i % 10000 = 0 THEN '{few}'::text[] ELSE '{}' END,
      5, (SELECT array_agg(md5(i || ' ' || n)::uuid) FROM generate_series(1, 5) n), md5(i::text),
      ' ' || word || ' ', ' ' || word || E' \\n ' || topic || ' ', title_grams || i,
      title_grams || topic_grams || i
    FROM generate_series(1, ${QUIZZES}) i
    CROSS JOIN (
      SELECT jsonb_agg(jsonb_build_object('type', 'QUESTION_TYPE_TRUE_FALSE', 'question', 'Question ' || n,
        'answer', '["true"]'::jsonb)) AS questions
      FROM generate_series(1, 5) n
    ) AS made
    CROSS JOIN LATERAL (SELECT now() - (${QUIZZES} - i) * interval '1 s' AS at) AS times
    JOIN (VALUES (true, 'zebra', ${grams(" zebra ")}), (false, 'quiz', ${grams(" quiz ")}))
      AS titles (rare, word, title_grams) ON rare = (i % 10000 = 1)
    JOIN (VALUES (1, 'rivers', ${grams(" rivers ")}), (2, 'oceans', ${grams(" oceans ")}),
      (3, 'lakes', ${grams(" lakes ")})) AS topics (kind, topic, topic_grams)
      ON kind = CASE WHEN i % 1000 = 2 THEN 1 WHEN i % 20 = 3 AND i < ${QUIZZES / 2} THEN 2 ELSE 3 END`,
  );
  // As autovacuum leaves it: it also notes which pages an index can speak for.
  await sql`VACUUM ANALYZE`;
}, 240_000);

afterAll(async () => {
  await sql?.end();
  await server?.[Symbol.asyncDispose]();
});

test("no statement reads, or sorts, what it is not about, and every one has its case", async () => {
  const link = { run: (_: string, work: (sql: Sql) => unknown) => work(sql) };
  const bank = new PostgresQuizBank(link as unknown as PostgresLink);
  const page = async (tags: string[], text?: string, after?: PagePosition) => {
    const search = text === undefined ? undefined : parseSearch(text);
    return (await bank.list({ tags, search, pageSize: 50, after })).heads.length;
  };
  const [middle] = await sql<PagePosition[]>`
    SELECT updated_at AS "updatedAt", quiz_id AS "quizId" FROM quiz_master.quizzes
    WHERE quiz_id = 'q0100000'`;
  if (!middle) throw new Error("no quiz in the middle");
  sent.length = 0;
  for (const tags of TAGS)
    for (const after of [undefined, middle]) {
      await page(tags, undefined, after);
      for (const text of SEARCHES) await page(tags, text, after);
    }
  expect(await page(["few"])).toBe(20);
  expect(await page([], "zebra")).toBe(20);
  expect(await page([], "oceans", { ...middle, pastTitles: true })).toBe(50);
  for (const tags of TAGS) await bank.draw(tags, 10, 7);
  expect(await bank.draw([], 500, 7)).toHaveLength(500);
  expect(await bank.draw(["few"], 500, 7)).toHaveLength(100);
  expect(await bank.create("new", aQuiz(), "ann")).toMatchObject({ version: 1n });
  expect(await bank.update("new", 1n, aQuiz({ title: "Newer" }))).toMatchObject({
    kind: "changed",
  });
  expect(await bank.get("new")).toMatchObject({ title: "Newer" });
  expect(await bank.authorOf("new")).toBe("ann");
  const imported = [aQuiz(), aQuiz({ title: "Newer" })];
  expect(await bank.addMissing(imported, "ann")).toHaveLength(2);
  expect((await bank.remove("new", 2n)).kind).toBe("changed");
  // The probe of the line has a connection of its own.
  await sql`SELECT 1`;
  const statements = [...sent];
  expect(notSent(statementsOf(folder("../src"), folder("../sql")), statements)).toEqual([]);
  const prepared = await preparedOf(sql);
  for (const each of statements) {
    // What is planned for its parameters each time need not do without them.
    const modes = prepared.has(each.text) ? undefined : ["force_custom_plan"];
    const faults = await faultsOf(sql, each, BIG, modes);
    expect([each.text, each.parameters, faults]).toEqual([each.text, each.parameters, []]);
  }
}, 120_000);
