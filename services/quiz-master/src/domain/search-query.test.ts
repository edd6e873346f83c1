import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gramsOf } from "./grams.js";
import { parseSearch, searchable } from "./search-query.js";

const needles = (text: string) =>
  parseSearch(text).map((each) => [
    each.with.map((needle) => needle.text),
    each.without.map((needle) => needle.text),
  ]);

describe("what people type", () => {
  test.each([
    ["words, all of which must be there", "Rhine river", [[["rhine", "river"], []]]],
    ["two letters begin a word", "ai", [[[" ai"], []]]],
    ["one letter is a word", "C", [[[" c "], []]]],
    ["one character of Japanese", "歴", [[["歴"], []]]],
    ["signs belong to words", "C++ C#", [[["c++", " c#"], []]]],
    ["a phrase", '"Mariana Trench"', [[[" mariana trench"], []]]],
    ["a phrase without an end", '"Mariana', [[["mariana"], []]]],
    [
      "one or another",
      "Rhine OR Rhône river",
      [
        [["rhine"], []],
        [["rhone", "river"], []],
      ],
    ],
    ["not this word", "Rhine -river", [[["rhine"], [" river "]]]],
    ["not this phrase", '-"Mariana Trench"', [[[], [" mariana trench "]]]],
    ["a word with a hyphen", "T-Rex", [[[" t rex"], []]]],
    ["nothing but punctuation", "?! - ()", []],
    ["or alone", "or", []],
  ])("%s", (_, text, expected) => {
    expect(needles(text)).toEqual(expected);
  });
});

test("a part of a text has no piece that the text has not", () => {
  const chars = fc.constantFrom(..."abc +#歴史の조선สงค🦊é");
  const texts = fc.array(chars, { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(texts, fc.nat(30), fc.nat(30), (all, from, length) => {
      const pieces = new Set(gramsOf(all.join("")));
      const part = all.slice(from, from + length).join("");
      expect(gramsOf(part).filter((piece) => !pieces.has(piece))).toEqual([]);
    }),
  );
});

test("no piece goes over the end of a text", () => {
  const [one, other] = [gramsOf(searchable("歴")), gramsOf(searchable("史"))];
  expect(new Set(gramsOf(searchable("歴", "史")))).toEqual(new Set([...one, ...other]));
});

test("each needle of one character or more has pieces to be found by", () => {
  for (const text of ["a", "ab", "abc", "歴", "歴史", "+", "é", "1", "สง", "🦊"])
    for (const { with: wanted } of parseSearch(text))
      for (const { grams } of wanted) expect(grams.length).toBeGreaterThan(0);
});
