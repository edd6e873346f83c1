import { expect, test } from "vitest";
import { Comebacks } from "./comebacks.js";

test("times away by percentile, and the busiest second wherever it begins", () => {
  const comebacks = new Comebacks();
  for (const at of [900, 1_000, 1_100, 1_899, 1_900, 5_000]) comebacks.add(at, at / 10);
  expect(comebacks.count).toBe(6);
  expect(comebacks.awayMs(50)).toBe(110);
  expect(comebacks.awayMs(99)).toBe(500);
  expect(comebacks.peakPerSecond()).toBe(4);
});

test("nobody was away", () => {
  const comebacks = new Comebacks();
  expect([comebacks.count, comebacks.awayMs(99), comebacks.peakPerSecond()]).toEqual([0, 0, 0]);
});
