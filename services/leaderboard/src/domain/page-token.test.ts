import fc from "fast-check";
import { expect, test } from "vitest";
import { boardToken, globalToken, readBoardToken, readGlobalToken } from "./page-token.js";

test("a cursor of a board is read back", () => {
  const place = fc.record({
    packed: fc.maxSafeInteger(),
    scorer: fc.stringMatching(/^@?[A-Za-z0-9_-]{1,64}$/),
  });
  fc.assert(
    fc.property(place, (each) => {
      expect(readBoardToken(boardToken(each))).toEqual(each);
    }),
  );
});

test("a cursor of the global leaderboard is read back, whatever the user is called", () => {
  const place = { points: 12, rank: 3, user: "zoë “z” 🎉" };
  expect(readGlobalToken(globalToken(place))).toEqual(place);
});

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

test.each([
  "x",
  "💥",
  encoded([1]),
  encoded([1, "a", "b"]),
  encoded(["1", "a"]),
  encoded([1.5, "a"]),
  encoded([2 ** 53, "a"]),
  encoded([1, "not a token"]),
  encoded([1, ""]),
  encoded([1, "@"]),
  encoded({ packed: 1, scorer: "a" }),
  encoded(null),
  `${boardToken({ packed: 1, scorer: "a" })}=`,
  ` ${boardToken({ packed: 1, scorer: "a" })}`,
  Buffer.from('[1, "a"]').toString("base64url"),
])("%j is no cursor of ours", (token) => {
  expect(readBoardToken(token)).toBeUndefined();
});

test.each([
  encoded([1, 0, "a"]),
  encoded([1, 1]),
  encoded([1, 1, 1]),
  encoded([1, 1, "a\0"]),
  boardToken({ packed: 1, scorer: "a" }),
])("%j is no cursor of the global leaderboard", (token) => {
  expect(readGlobalToken(token)).toBeUndefined();
});

test("random text is never a cursor", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(readBoardToken(text)).toBeUndefined();
    }),
  );
});
