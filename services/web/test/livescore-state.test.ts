import { expect, test } from "vitest";
import { emptyTextOf, lineOf } from "../public/assets/livescore-state.js";

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
