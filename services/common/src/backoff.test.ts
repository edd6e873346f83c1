import { expect, test } from "vitest";
import { anywhereWithin, Backoff, type Random } from "./backoff.js";

/** Numbers that lie evenly between 0 and 1, in turn. */
function evenly(count: number): Random {
  let next = 0;
  return () => ((next++ % count) + 0.5) / count;
}

test("a thousand that fail together come back evenly over the whole of the wait", () => {
  const random = evenly(1_000);
  const waits = Array.from({ length: 1_000 }, () =>
    new Backoff({ firstMs: 1_000, maxMs: 60_000, random }).next(),
  );
  const perTenth = Array.from(
    { length: 10 },
    (_, tenth) => waits.filter((ms) => Math.floor(ms / 100) === tenth).length,
  );
  expect(perTenth).toEqual(new Array(10).fill(100));
});

test("the bound doubles with each failure up to the longest wait, and begins anew after a success", () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1_000, random: () => 0.999_999 });
  const bounds = () => Array.from({ length: 6 }, () => Math.round(backoff.next()));
  expect(bounds()).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  expect(backoff.failures).toBe(6);
  backoff.reset();
  expect(backoff.failures).toBe(0);
  expect(bounds()).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

test("a wait may be nothing, and is never more than its bound, after however many failures", () => {
  for (const value of [0, 0.5, 0.999_999]) {
    const backoff = new Backoff({ firstMs: 250, maxMs: 5_000, random: () => value });
    for (let i = 0; i < 2_000; i++) {
      const wait = backoff.next();
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThan(5_000);
    }
  }
  expect(anywhereWithin(250, () => 0)).toBe(0);
  expect(anywhereWithin(250, () => 0.5)).toBe(125);
});
