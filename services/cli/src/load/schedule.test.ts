import { describe, expect, test } from "vitest";
import { dueAt, isSlow, leaveTimes, numbersOf, reactionMs } from "./schedule.js";

const PARTS = 3;
const parts = Array.from({ length: PARTS }, (_, part) => ({ part, parts: PARTS }));
const LOGNORMAL = { kind: "lognormal", medianMs: 3_000, sigma: 0.5 } as const;

test("each number belongs to exactly one process, however the total divides", () => {
  for (const total of [0, 1, 2, 3, 10, 11]) {
    const all = parts.flatMap((share) => numbersOf(total, share)).sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: total }, (_, n) => n));
  }
});

test("joins are evenly spread at the rate of all processes together", () => {
  const times = parts
    .flatMap((share) => numbersOf(300, share).map((n) => dueAt(n, 100, 5_000)))
    .sort((a, b) => a - b);
  expect(times[0]).toBe(5_000);
  for (const [i, time] of times.entries()) expect(time).toBeCloseTo(5_000 + i * 10, 6);
});

test("players leave at the rate of all processes together, and nobody does at rate 0", () => {
  const all = parts.flatMap((share) => {
    const times = leaveTimes({ ...share, resumesPerSecond: 30 }, 1_000);
    return Array.from({ length: 100 }, () => times.next().value as number);
  });
  const sorted = all.sort((a, b) => a - b);
  for (const [i, time] of sorted.entries())
    expect(time).toBeCloseTo(1_000 + ((i + 1) * 1_000) / 30);
  expect([...leaveTimes({ part: 0, parts: 1, resumesPerSecond: 0 }, 0)]).toEqual([]);
});

describe("reactionMs", () => {
  const draw = (player: number, timeLimitMs = Number.POSITIVE_INFINITY) =>
    reactionMs(LOGNORMAL, { seed: 7, round: 1, player }, timeLimitMs);

  test("is the same for the same seed, round and player", () => {
    expect(draw(5)).toBe(draw(5));
    expect(draw(5)).not.toBe(draw(6));
  });

  test("has the median and the deviation that it was given", () => {
    const times = Array.from({ length: 10_000 }, (_, player) => draw(player) ?? 0);
    const logs = times.map(Math.log).sort((a, b) => a - b);
    const mean = logs.reduce((sum, each) => sum + each, 0) / logs.length;
    const deviation = Math.sqrt(logs.reduce((sum, v) => sum + (v - mean) ** 2, 0) / logs.length);
    expect(Math.exp(mean)).toBeGreaterThan(2_900);
    expect(Math.exp(mean)).toBeLessThan(3_100);
    expect(deviation).toBeCloseTo(0.5, 1);
  });

  test("players who are not done in time do not answer", () => {
    const limit = 3_000;
    const times = Array.from({ length: 1_000 }, (_, player) => draw(player, limit));
    const answered = times.filter((time) => time !== undefined);
    expect(answered.length).toBeGreaterThan(400);
    expect(answered.length).toBeLessThan(600);
    expect(Math.max(...answered)).toBeLessThan(limit);
  });

  test("a burst is even over its time", () => {
    const even = { kind: "even", overMs: 1_000 } as const;
    const times = Array.from(
      { length: 2_000 },
      (_, player) => reactionMs(even, { seed: 1, round: 2, player }, 10_000) ?? -1,
    );
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...times)).toBeLessThan(1_000);
    expect(times.filter((time) => time < 500).length).toBeGreaterThan(900);
  });
});

test("the share of slow readers is what was asked for", () => {
  const slow = Array.from({ length: 5_000 }, (_, n) => isSlow(3, `p${n}`, 0.1)).filter(Boolean);
  expect(slow.length).toBeGreaterThan(420);
  expect(slow.length).toBeLessThan(580);
  expect(isSlow(3, "p1", 0)).toBe(false);
  expect(isSlow(3, "p1", 1)).toBe(true);
});
