import { expect, test } from "vitest";
import { emptyTextOf, limitFault, lineOf } from "../public/assets/livescore-state.js";

test("only a table that runs is called live, and what never was is called that", () => {
  expect(["unknown", "lobby", "live", "ended"].map(lineOf)).toEqual([
    "Waiting",
    "Waiting",
    "● Live",
    "Final",
  ]);
  expect(emptyTextOf("unknown", "typo_1")).toContain("no session “typo_1” yet");
  for (const state of ["lobby", "live", "ended"])
    expect(emptyTextOf(state, "typo_1")).not.toContain("typo_1");
});

test("a limit that the server refuses is said, not tried again and again", () => {
  for (const limit of [null, "1", "7", "1000"]) expect(limitFault(limit)).toBe("");
  for (const limit of ["", "0", "1001", "-1", "1e3", "many", "5000"])
    expect(limitFault(limit)).toBe("limit is 1 to 1000");
});
