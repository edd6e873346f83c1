import { expect, test } from "vitest";
import { LIMITS } from "../limits.js";
import { FaultList, placeOf } from "./fault-list.js";

test("faults come in the order of the file", () => {
  const faults = new FaultList();
  faults.addMended(placeOf(7, "later"), "mended");
  faults.addLeftOut(placeOf(3, "earlier\nand more"), "left out");
  expect(faults.list()).toEqual([
    { line: 3, excerpt: "earlier and more", reason: "left out", mended: false },
    { line: 7, excerpt: "later", reason: "mended", mended: true },
  ]);
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
