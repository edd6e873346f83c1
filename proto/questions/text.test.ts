import { describe, expect, test } from "vitest";
import { clip, lengthOf, quoted, textFault, tidy, tidyLines } from "./text.js";

test("a text is stored composed and without spaces around it", () => {
  expect(tidy("  Cafe\u0301 ")).toBe("Caf\u00e9");
  expect(tidy("\u00a0Oslo\u3000\ufeff\t")).toBe("Oslo");
  expect(tidyLines(" one \r\n two\r three \n")).toBe("one\n two\n three");
});

test("letters outside the basic plane count as one", () => {
  expect(lengthOf("a🦊é")).toBe(3);
  expect(clip("🦊🦊🦊", 2)).toBe("🦊🦊");
});

test("a quoted text is one line and short", () => {
  expect(quoted("a\nb")).toBe('"a b"');
  expect(quoted("x".repeat(100))).toBe(`"${"x".repeat(60)}…"`);
});

describe("the fault of a text", () => {
  test.each([
    ["nothing", "", "is empty"],
    ["only what can't be seen", "\u200b\u3164", "is empty"],
    ["a zero byte", "a\0b", "control characters"],
    ["a line break", "a\nb", "control characters"],
    ["half a surrogate pair", "a\ud83e", "control characters"],
    ["a line separator", "a\u2028b", "control characters"],
    ["one character too many", "🦊".repeat(11), "has 11 characters; shorten it to 10"],
  ])("%s", (_, text, fault) => {
    expect(textFault(text, { max: 10 })).toContain(fault);
  });

  test.each([["🦊".repeat(10)], ["a"], ["👩‍👩‍👧"]])("%s has none", (text) => {
    expect(textFault(text, { max: 10 })).toBeUndefined();
  });

  test("line breaks are fine where a text may have several lines, and nothing where it is optional", () => {
    expect(textFault("a\nb", { max: 10, lines: true })).toBeUndefined();
    expect(textFault("", { max: 10, optional: true })).toBeUndefined();
  });
});
