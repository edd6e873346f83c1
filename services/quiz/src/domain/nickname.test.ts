import { expect, test } from "vitest";
import { readNickname } from "./nickname.js";

test.each([
  ["Ann", "Ann"],
  ["  Ann   Lee ", "Ann Lee"],
  ["José", "José"],
  ["👩‍🚀", "👩‍🚀"],
  ["क्षत्रिय", "क्षत्रिय"],
  ["🎺".repeat(24), "🎺".repeat(24)],
])("%j is shown as %j", (given, shown) => {
  expect(readNickname(given)).toBe(shown);
});

test.each([
  "",
  "   ",
  "a".repeat(25),
  "x".repeat(1_000_000),
  "a\u0000b",
  "a\u202eb",
  "\u200b",
  "\u200d\u200d",
  "\ud800",
  "e\u0301\u0302\u0303\u0304\u0305",
  "a\u2028b",
])("%j is refused", (given) => {
  expect(readNickname(given)).toBeUndefined();
});
