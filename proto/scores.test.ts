/** What counts as a score, at its edges: every projection reads by these rules. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { faultOfScore, readOutsidePoints, SCORE_POINTS_MAX, TIME_SPAN_MS } from "./scores.js";

const read = (text: string) => readOutsidePoints(Buffer.from(text));

describe("an outside score", () => {
  test.each([
    ["20", 20],
    ["0", 0],
    ["-5", -5],
    ["+7", 7],
    ["007", 7],
    ["20.0", 20],
    [" 20\n", 20],
    ["0.4", 0],
    ["0.5", 1],
    ["-0.5", -1],
    ["2.5", 3],
    ["-2.5", -3],
    ["1000000", 1_000_000],
    ["-1000000", -1_000_000],
    ["1000000.4", 1_000_000],
  ])("%j counts as %d points", (text, points) => {
    expect(read(text)).toBe(points);
  });

  test("is never minus zero", () => {
    for (const text of ["-0", "-0.4", "-0.0"]) expect(Object.is(read(text), 0)).toBe(true);
  });

  test.each([
    "",
    " ",
    "twenty",
    "1e3",
    "0x10",
    "1_000",
    "1,5",
    ".5",
    "5.",
    "--5",
    "+-5",
    "NaN",
    "Infinity",
    "20 points",
    "{}",
    '"20"',
    "٢٠",
    "２０",
    "20\u0000",
    `${"0".repeat(70)}1`,
  ])("%j is not a decimal number", (text) => {
    expect(read(text)).toBe("not a decimal number");
  });

  test.each(["1000001", "-1000001", "1000000.5", "99999999999999999999"])(
    "%s is beyond the bounds",
    (text) => {
      expect(read(text)).toBe("not from -1000000 to 1000000");
    },
  );

  test("of a megabyte is refused without being looked at", () => {
    expect(readOutsidePoints(Buffer.alloc(1_048_576, "1"))).toBe("not a decimal number");
  });

  test("is a whole number within the bounds, or a reason, whatever bytes come", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), decimalBytes()), (bytes) => {
        const points = readOutsidePoints(bytes);
        if (typeof points === "string") expect(points).not.toBe("");
        else expect(faultOfScore({ playerId: "u", points, elapsedMs: 0 })).toBeUndefined();
      }),
    );
  });

  test("in whole points reads as the number it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: -SCORE_POINTS_MAX, max: SCORE_POINTS_MAX }), (points) => {
        expect(read(String(points))).toBe(points);
      }),
    );
  });
});

describe("a score of an entry", () => {
  const good = { playerId: "p1", points: 10, elapsedMs: 1_000 };

  test.each([
    good,
    { ...good, points: SCORE_POINTS_MAX },
    { ...good, points: -SCORE_POINTS_MAX },
    { ...good, elapsedMs: 0 },
    { ...good, elapsedMs: TIME_SPAN_MS - 1 },
    { ...good, playerId: "_x-Y".repeat(16) },
  ])("counts: %j", (score) => {
    expect(faultOfScore(score)).toBeUndefined();
  });

  test.each([
    [{ ...good, playerId: "" }, "player id"],
    [{ ...good, playerId: "a b" }, "player id"],
    [{ ...good, playerId: "a".repeat(65) }, "player id"],
    [{ ...good, points: 0.5 }, "points"],
    [{ ...good, points: Number.NaN }, "points"],
    [{ ...good, points: SCORE_POINTS_MAX + 1 }, "points"],
    [{ ...good, points: -SCORE_POINTS_MAX - 1 }, "points"],
    [{ ...good, elapsedMs: -1 }, "answer time"],
    [{ ...good, elapsedMs: 0.5 }, "answer time"],
    [{ ...good, elapsedMs: TIME_SPAN_MS }, "answer time"],
  ])("does not count: %j", (score, what) => {
    expect(faultOfScore(score)).toContain(what);
  });
});

function decimalBytes(): fc.Arbitrary<Uint8Array> {
  return fc
    .stringMatching(/^\s{0,2}[+-]?\d{1,22}(\.\d{1,22})?\s{0,2}$/)
    .map((text) => Buffer.from(text));
}
