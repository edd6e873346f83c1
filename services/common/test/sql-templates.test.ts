import { expect, test } from "vitest";
import { sqlTemplates } from "./sql-templates.js";

test("statements are found wherever they stand, and nothing else is", () => {
  // $$ is a dollar sign, so that these strings are not taken for templates.
  const source = [
    "// sql`in a comment`",
    "/* tx`in another` */",
    'const quoted = "sql`no`" + `not $${"tagged"} at all`;',
    "const pattern = /[`'\"]/;",
    "const composed = `WITH a AS ($${b}) SELECT 1`;",
    "await this.sql<{ a: string }[]>`SELECT $${f(`plain`, { a: 1 })} FROM $${tx`inner $${x}`} t`;",
  ]
    .join("\n")
    .replace(/\$\$/g, "$");
  expect(sqlTemplates(source)).toEqual([
    { line: 5, parts: ["WITH a AS (", ") SELECT 1"] },
    { line: 6, parts: ["inner ", ""] },
    { line: 6, parts: ["SELECT ", " FROM ", " t"] },
  ]);
});
