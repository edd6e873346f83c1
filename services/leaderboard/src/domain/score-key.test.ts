import { SCORE_POINTS_MAX, TIME_SPAN_MS } from "@fanfare/proto/scores";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pack, unpack } from "./score-key.js";

/** Exact together with the time. */
const POINTS_TOTAL_MAX = 2 ** 24 - 1;

const score = fc.record({
  points: fc.integer({ min: -POINTS_TOTAL_MAX, max: POINTS_TOTAL_MAX }),
  elapsedMs: fc.integer({ min: 0, max: TIME_SPAN_MS - 1 }),
});

describe("a packed score", () => {
  test("gives back points and time exactly, whatever they are", () => {
    fc.assert(
      fc.property(score, (each) => {
        expect(unpack(pack(each))).toEqual(each);
      }),
    );
  });

  test.each([
    { points: POINTS_TOTAL_MAX, elapsedMs: 0 },
    { points: POINTS_TOTAL_MAX, elapsedMs: TIME_SPAN_MS - 1 },
    { points: -POINTS_TOTAL_MAX, elapsedMs: 0 },
    { points: -POINTS_TOTAL_MAX, elapsedMs: TIME_SPAN_MS - 1 },
    { points: 0, elapsedMs: TIME_SPAN_MS - 1 },
    { points: 0, elapsedMs: 0 },
    { points: -1, elapsedMs: 1 },
  ])("is exact at its edges: $points points, $elapsedMs ms", (edge) => {
    const packed = pack(edge);
    expect(Number.isSafeInteger(packed)).toBe(true);
    expect(unpack(packed)).toEqual(edge);
  });

  test("sorts by more points, then by less time", () => {
    fc.assert(
      fc.property(score, score, (a, b) => {
        const expected = b.points - a.points || a.elapsedMs - b.elapsedMs;
        expect(Math.sign(pack(a) - pack(b))).toBe(Math.sign(expected));
      }),
    );
  });

  test("adds up like its parts", () => {
    const part = fc.record({
      points: fc.integer({ min: -SCORE_POINTS_MAX, max: SCORE_POINTS_MAX }),
      elapsedMs: fc.integer({ min: 0, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 16 }), (parts) => {
        const sum = (of: "points" | "elapsedMs") =>
          parts.reduce((total, each) => total + each[of], 0);
        const packed = parts.reduce((total, each) => total + pack(each), 0);
        expect(unpack(packed)).toEqual({ points: sum("points"), elapsedMs: sum("elapsedMs") });
      }),
    );
  });
});

test("far beyond its exact range points are still right", () => {
  let packed = 0;
  let points = 0;
  let elapsedMs = 0;
  for (let i = 1; i <= 1_000; i++) {
    packed += pack({ points: SCORE_POINTS_MAX, elapsedMs: 200_000 });
    points += SCORE_POINTS_MAX;
    elapsedMs += 200_000;
    expect(unpack(packed).points).toBe(points);
    expect(Math.abs(unpack(packed).elapsedMs - elapsedMs)).toBeLessThan(64 * i);
  }
});
