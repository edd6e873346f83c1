import { expect, test } from "vitest";
import { readOutsidePoints } from "./outside-score.js";

const read = (text: string) => readOutsidePoints(new TextEncoder().encode(text));

test.each([
  ["20", 20],
  ["20.0", 20],
  ["-5", -5],
  ["+7", 7],
  ["0", 0],
  ["-0", 0],
  ["-0.4", 0],
  ["0.5", 1],
  ["-0.5", -1],
  ["2.5", 3],
  ["-2.5", -3],
  ["158.49", 158],
  ["20\n", 20],
  [" 20 ", 20],
  ["1000000", 1_000_000],
  ["-1000000.4", -1_000_000],
])("%j counts %d points", (text, points) => {
  expect(read(text)).toBe(points);
});

test.each([
  ["", "not a decimal number"],
  ["twenty", "not a decimal number"],
  ["20 points", "not a decimal number"],
  ["1e3", "not a decimal number"],
  ["0x10", "not a decimal number"],
  ["Infinity", "not a decimal number"],
  [".5", "not a decimal number"],
  ["5.", "not a decimal number"],
  ["--5", "not a decimal number"],
  ['{"points":20}', "not a decimal number"],
  ["٢٠", "not a decimal number"],
  ["1".repeat(1_000_000), "not a decimal number"],
  ["1000001", "not from -1000000 to 1000000"],
  ["-1000000.5", "not from -1000000 to 1000000"],
])("%j is refused", (text, reason) => {
  expect(read(text)).toBe(reason);
});
