import { z } from "@fanfare/common/config";
import { describe, expect, test } from "vitest";
import { numberFlag, readFlags, tokenFlag, UsageError, wholeFlag } from "./flags.js";

const shape = {
  name: tokenFlag,
  rounds: wholeFlag(1, 500),
  every: numberFlag(0.5, 230).default(5),
  clean: z.boolean().optional(),
};

function fault(args: string[]): string {
  try {
    readFlags(args, shape);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "none";
}

describe("flags", () => {
  test.each([
    [["-name", "quiz_1", "-rounds", "30"]],
    [["--name", "quiz_1", "--rounds", "30"]],
    [["-name=quiz_1", "--rounds=30"]],
  ])("%j are read alike", (args) => {
    expect(readFlags(args, shape)).toEqual({ name: "quiz_1", rounds: 30, every: 5 });
  });

  test("a switch takes no value", () => {
    const flags = readFlags(["-name", "a", "-rounds", "1", "-clean"], shape);
    expect(flags.clean).toBe(true);
  });

  test("all faults are told at once, by flag", () => {
    expect(fault(["-rounds", "0", "-every", "x"])).toBe(
      [
        "-name is missing",
        "-rounds must be a whole number from 1 to 500",
        "-every must be a number from 0.5 to 230",
      ].join("\n"),
    );
  });

  test.each([
    [["-rounds", "1.5", "-name", "a"], "whole number"],
    [["-rounds", "-3", "-name", "a"], "rounds"],
    [["-rounds", "3", "-name", "a.b"], "-name must be"],
    [["-rounds", "3", "-name", "a", "-colour", "red"], "colour"],
    [["-rounds", "3", "-name"], "name"],
    [["-rounds", "3", "-name", "a", "stray"], "stray"],
  ])("%j are refused", (args, part) => {
    expect(fault(args)).toContain(part);
  });
});
