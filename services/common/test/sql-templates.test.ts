import { expect, test } from "vitest";
import { taggedTemplates } from "./sql-templates.js";

test("statements are found wherever they stand, and nothing else is", () => {
  // $$ is a dollar sign, so that these strings are not taken for templates.
  const source = [
    "// sql`in a comment`",
    "/* tx`in another` */",
    'const quoted = "sql`no`" + `not $${"tagged"} at all`;',
    "const pattern = /[`'\"]/;",
    "await this.sql<{ a: string }[]>`SELECT $${f(`plain`, { a: 1 })} FROM $${tx`inner $${x}`} t`;",
  ]
    .join("\n")
    .replace(/\$\$/g, "$");
  expect(taggedTemplates(source)).toEqual([
    { line: 5, parts: ["inner ", ""] },
    { line: 5, parts: ["SELECT ", " FROM ", " t"] },
  ]);
});
