import { expect, test } from "vitest";
import { readPageToken, writePageToken } from "./page-token.js";

const position = { updatedAt: new Date("2026-11-24T08:00:00.123Z"), quizId: "quiz_1-A" };

test("a page token is read back as it was written", () => {
  expect(readPageToken(writePageToken(position))).toEqual(position);
  const later = { ...position, pastTitles: true } as const;
  expect(readPageToken(writePageToken(later))).toEqual(later);
});

test.each([
  ["words", "next please"],
  ["another encoding of the same", `${writePageToken(position)}=`],
  ["no id", Buffer.from("1.").toString("base64url")],
  ["an id that is no token", Buffer.from("1.a b").toString("base64url")],
  ["no time", Buffer.from("x.quiz").toString("base64url")],
  ["a time before all quizzes", Buffer.from("-1.quiz").toString("base64url")],
  ["a time beyond all clocks", Buffer.from("999999999999999999.quiz").toString("base64url")],
])("%s is no page token", (_, token) => {
  expect(readPageToken(token)).toBeUndefined();
});
