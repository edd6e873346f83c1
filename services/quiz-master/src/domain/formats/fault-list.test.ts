import { expect, test } from "vitest";
import { LIMITS } from "../limits.js";
import { FaultList, placeOf } from "./fault-list.js";

test("what was left out comes in the order of the file", () => {
  const faults = new FaultList();
  faults.addMended(placeOf(7, "later"), "mended");
  faults.addLeftOut(placeOf(3, "earlier\nand more"), "left out");
  expect(faults.list()).toEqual([
    { line: 3, excerpt: "earlier and more", reason: "left out", mended: false },
    { line: 7, excerpt: "later", reason: "mended", mended: true },
  ]);
});

test("what was left out comes first, whole quizzes before questions; the rest is grouped", () => {
  const faults = new FaultList();
  for (let line = 1; line <= 317; line++) faults.addMended(placeOf(line, "row"), "harmless");
  faults.addLeftOut(placeOf(2, "question"), "left out");
  faults.addLostQuiz(placeOf(9, "quiz"), "too large", "FROZEN_QUIZ_BYTES_MAX");
  expect(faults.list()).toMatchObject([
    { line: 9, reason: "too large", mended: false, limit: "FROZEN_QUIZ_BYTES_MAX" },
    { line: 2, reason: "left out", mended: false },
    { line: 1, reason: "harmless", mended: true, count: 317 },
  ]);
  expect(faults.list()[2]?.lines).toHaveLength(317);
});

test("notes take no room from what was left out, however many there are", () => {
  const faults = new FaultList();
  for (let line = 1; line <= 20_000; line++)
    faults.addMended({ line, excerpt: "" }, `note ${line}`);
  faults.addLeftOut(placeOf(20_001, "question"), "left out");
  expect(faults.list()).toHaveLength(LIMITS.IMPORT_FAULTS_MAX);
  expect(faults.list()[0]).toMatchObject({ line: 20_001, mended: false });
});

test("the report of a file of the longest rows fits into one message", () => {
  const faults = new FaultList();
  for (let line = 1; line <= 10_000; line++) {
    faults.addLeftOut(placeOf(line, "歴".repeat(80)), `${line} ${"史".repeat(200)}`);
    faults.addMended(placeOf(line, "歴".repeat(80)), `${line} ${"史".repeat(200)}`);
  }
  expect(Buffer.byteLength(JSON.stringify(faults.list()))).toBeLessThan(3 * 1024 * 1024);
  expect(faults.leftOut).toBe(10_000);
  expect(faults.list().some(({ reason }) => reason.includes("more rows have faults"))).toBe(true);
});

test("of many faults the summary tells each reason once, where it is met first", () => {
  const faults = new FaultList();
  for (let line = 1; line <= 317; line++) faults.addLeftOut(placeOf(line, ""), "no answer");
  faults.addLeftOut(placeOf(400, ""), "the question is empty");
  expect(faults.summary()).toBe(
    "line 1 and 316 more: no answer; line 400: the question is empty; 318 rows in all",
  );
});

test("an excerpt has at most 80 characters", () => {
  expect([...placeOf(1, "🦊".repeat(200)).excerpt]).toHaveLength(80);
});

test.each([
  [LIMITS.IMPORT_FAULTS_MAX, "bad"],
  [
    LIMITS.IMPORT_FAULTS_MAX + 5,
    "this and 5 more rows have faults; mend the others and import again",
  ],
])("of %i faults all are counted, at most 10,000 listed", (count, lastReason) => {
  const faults = new FaultList();
  for (let line = 1; line <= count; line++) faults.addLeftOut({ line, excerpt: "" }, "bad");
  const listed = faults.list();
  expect(faults.leftOut).toBe(count);
  expect(listed).toHaveLength(LIMITS.IMPORT_FAULTS_MAX);
  expect(listed.at(-1)).toMatchObject({ line: LIMITS.IMPORT_FAULTS_MAX, reason: lastReason });
});
