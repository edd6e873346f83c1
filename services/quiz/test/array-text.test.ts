/** Array texts through a real PostgreSQL: what goes in comes out, whatever it holds. */
import { startPostgres } from "@fanfare/common/servers/postgres";
import fc from "fast-check";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { arrayOf, element, repeated } from "../src/adapters/array-text.js";

let server: Awaited<ReturnType<typeof startPostgres>>;
let sql: postgres.Sql;

beforeAll(async () => {
  server = await startPostgres({ fsync: false });
  sql = postgres(server.url, { max: 1 });
});

afterAll(async () => {
  await sql.end();
  await server[Symbol.asyncDispose]();
});

/** All that PostgreSQL can hold; often what means something in an array. */
const text = fc
  .oneof(
    fc.constantFrom("", "NULL", "null", "{}", "{", "}", ",", '"', "\\", '\\"', " a ", "a\nb", "\t"),
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom('"', "\\", ",", "{", "}", "a", " ", "\u0001", "🎺") }),
  )
  .filter((each) => !each.includes("\u0000"));

test("texts, and lists of texts within a list, come back as they were", async () => {
  const lists = fc.array(fc.array(text, { maxLength: 4 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 6 }), lists, async (texts, nested) => {
      const inner = nested.map((list) => element(arrayOf(list.map(element))));
      const [row] = await sql`
        SELECT ${arrayOf(texts.map(element))}::text::text[] AS texts,
          (SELECT coalesce(json_agg(to_json(list::text[]) ORDER BY n), '[]')
           FROM unnest(${arrayOf(inner)}::text::text[]) WITH ORDINALITY AS lists (list, n)) AS nested`;
      expect(row).toEqual({ texts, nested });
    }),
    { numRuns: 500 },
  );
});

test("numbers, truths and repeated elements need no quotes", async () => {
  const [row] = await sql`
    SELECT ${arrayOf([1, -2, 2 ** 31 - 1])}::text::int[] AS numbers,
      to_json(${arrayOf(["t", "f", "NULL"])}::text::bool[]) AS truths,
      ${arrayOf([repeated(element("a,b"), 2), repeated(element("c"), 1)])}::text::text[] AS texts`;
  expect(row).toEqual({
    numbers: [1, -2, 2 ** 31 - 1],
    truths: [true, false, null],
    texts: ["a,b", "a,b", "c"],
  });
});
