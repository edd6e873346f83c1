import fc from "fast-check";
import { expect, test } from "vitest";
import { boardToken, globalToken, readBoardToken, readGlobalToken } from "./page-token.js";

test("a cursor of a board is read back", () => {
  const place = fc.record({
    state: fc.string({ unit: "grapheme" }),
    rank: fc.integer({ min: 1, max: 2 ** 40 }),
  });
  fc.assert(
    fc.property(place, (each) => {
      expect(readBoardToken(boardToken(each))).toEqual(each);
    }),
  );
});

test("a cursor of the global leaderboard is read back, whatever the user is called", () => {
  const place = { state: "7", points: 12, rank: 3, user: "zoë “z” 🎉" };
  expect(readGlobalToken(globalToken(place))).toEqual(place);
});

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

test.each([
  "x",
  "💥",
  encoded(["a"]),
  encoded(["a", 1, "b"]),
  encoded([1, 1]),
  encoded(["a", 1.5]),
  encoded(["a", 0]),
  encoded(["a", -1]),
  encoded(["a", 2 ** 53]),
  encoded(["a", "1"]),
  encoded({ state: "a", rank: 1 }),
  encoded(null),
  `${boardToken({ state: "a", rank: 1 })}=`,
  ` ${boardToken({ state: "a", rank: 1 })}`,
  Buffer.from('["a", 1]').toString("base64url"),
])("%j is no cursor of ours", (token) => {
  expect(readBoardToken(token)).toBeUndefined();
});

test.each([
  encoded(["7", 1, 0, "a"]),
  encoded(["7", 1, 1]),
  encoded(["7", 1, 1, 1]),
  encoded(["7", 1, 1, "a\0"]),
  encoded(["seven", 1, 1, "a"]),
  encoded([7, 1, 1, "a"]),
  boardToken({ state: "a", rank: 1 }),
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
