import { expect, test } from "vitest";
import { KeyedRateLimit, RateLimit } from "./rate-limit.js";

/** How many of `count` events, `everyMs` apart, may pass. */
function passing(rate: RateLimit, count: number, everyMs: number): number {
  let state = 0;
  let passed = 0;
  for (let event = 0; event < count; event++) {
    const next = rate.take(state, 1_000 + event * everyMs);
    if (next === undefined) continue;
    state = next;
    passed++;
  }
  return passed;
}

test.each([
  ["the burst at once", 100, 0, 40],
  ["all at the rate", 100, 50, 100],
  ["burst and rate at twice the rate", 200, 25, 40 + 99],
])("a rate lets %s pass", (_, count, everyMs, expected) => {
  expect(passing(new RateLimit(20, 1_000, 40), count, everyMs)).toBeGreaterThanOrEqual(
    expected - 1,
  );
  expect(passing(new RateLimit(20, 1_000, 40), count, everyMs)).toBeLessThanOrEqual(expected + 1);
});

test("the wait that is told is long enough, and no longer", () => {
  const rate = new RateLimit(2, 1_000, 2);
  let state = 0;
  for (let event = 0; event < 2; event++) state = rate.take(state, 5_000) ?? Number.NaN;
  const wait = rate.waitMs(state, 5_000);
  expect(wait).toBe(500);
  expect(rate.take(state, 5_000 + wait - 1)).toBeUndefined();
  expect(rate.take(state, 5_000 + wait)).toBeDefined();
});

test("each key has its own rate", () => {
  const limit = new KeyedRateLimit(new RateLimit(1, 1_000, 1));
  expect(limit.take("a", 0)).toBe(0);
  expect(limit.take("a", 0)).toBe(1_000);
  expect(limit.take("b", 0)).toBe(0);
});

test("asking counts nothing", () => {
  const limit = new KeyedRateLimit(new RateLimit(1, 1_000, 1));
  expect(limit.waitMs("a", 0)).toBe(0);
  expect(limit.take("a", 0)).toBe(0);
  expect(limit.waitMs("a", 0)).toBe(1_000);
});

test("keys are forgotten, those first that may do all again", () => {
  const limit = new KeyedRateLimit(new RateLimit(1, 1_000, 1), 10);
  for (let key = 0; key < 10; key++) limit.take(`old${key}`, 0);
  limit.take("new", 5_000);
  expect(limit.size).toBe(1);
  for (let key = 0; key < 50; key++) limit.take(`flood${key}`, 5_000);
  expect(limit.size).toBe(10);
  expect(limit.waitMs("flood49", 5_000)).toBe(1_000);
});
