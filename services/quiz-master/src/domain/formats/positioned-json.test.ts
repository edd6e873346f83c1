import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JsonNode, parseJson } from "./positioned-json.js";

function plainOf(node: JsonNode): unknown {
  if (node.kind === "array") return node.items.map(plainOf);
  if (node.kind === "object")
    return Object.fromEntries([...node.members].map(([name, member]) => [name, plainOf(member)]));
  return node.kind === "string" ? node.text : JSON.parse(node.text);
}

test("reads what JSON.parse reads", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(0, 2, "\t"), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), null, indent);
      const parsed = parseJson(text);
      expect(parsed.kind === "parsed" && plainOf(parsed.root)).toEqual(JSON.parse(text));
    }),
  );
});

test("refuses what JSON.parse refuses", () => {
  const pieces = fc.constantFrom(
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    '"',
    "\\",
    '"a"',
    "1",
    "-",
    "0",
    ".5",
    "e",
    "true",
    "nul",
    " ",
    "\n",
    "\u0001",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect(parseJson(text).kind).toBe(isJson ? "parsed" : "broken");
    }),
    { numRuns: 2_000 },
  );
});

test("knows the line of every value, whatever ends the lines", () => {
  const parsed = parseJson('[\r\n{"a":\n1},\r"b"]');
  const [object, text] =
    parsed.kind === "parsed" && parsed.root.kind === "array" ? parsed.root.items : [];
  expect(object).toMatchObject({ kind: "object", line: 2 });
  expect(object?.kind === "object" && object.members.get("a")?.line).toBe(3);
  expect(text).toMatchObject({ kind: "string", line: 4 });
});

describe("says where and why a text is no JSON", () => {
  test.each([
    ["a comma too many", '{\n  "a": [1, 2,]\n}', 2, 14, "remove the comma before the closing ]"],
    ["a comma too few", "[1\n2]", 2, 1, 'a comma or ] is missing before "2"'],
    ["an early end", '{"a": ', 1, 7, "it ends too early"],
    ["a name without quotes", "{a: 1}", 1, 2, "a field name in double quotes is missing"],
    ["no colon", '{"a" 1}', 1, 6, 'a colon is missing after "a"'],
    ["an open text", '{"a": "b}', 1, 7, "a closing double quote is missing"],
    ["a line break in a text", '["a\nb"]', 1, 2, "a text holds a line break"],
    ["text behind the end", "{} x", 1, 4, "there is text behind the end"],
    ["a comment", "// no\n{}", 1, 1, '"/" can\'t begin a value'],
    ["nothing", "", 1, 1, "it ends too early"],
    ["too deep", "[".repeat(100), 1, 34, "nested deeper than 32"],
    ["too many values", `[${"0,".repeat(300_000)}0]`, 1, 600_000, "more than 300000 values"],
  ])("%s", (_, text, line, column, message) => {
    expect(parseJson(text)).toEqual({
      kind: "broken",
      line,
      column,
      message: expect.stringContaining(message),
    });
  });
});
