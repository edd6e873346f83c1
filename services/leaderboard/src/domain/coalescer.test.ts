import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Coalescer } from "./coalescer.js";

const EVERY_MS = 100;

function coalescer() {
  return new Coalescer({ everyMs: EVERY_MS, holdMaxMs: 1_000 });
}

/** Takes all that is due and ends it at once. */
function take(from: Coalescer, now: number): string[] {
  const keys = from.take(now, 100).map(({ key }) => key);
  for (const key of keys) from.done(key, now);
  return keys;
}

describe("a snapshot", () => {
  test("is taken at once after the first change", () => {
    const snapshots = coalescer();
    snapshots.mark("a", 7);
    expect(snapshots.take(0, 10)).toEqual([{ key: "a", since: 7 }]);
  });

  test("is taken at most once per interval, and once more after the last change", () => {
    const snapshots = coalescer();
    snapshots.mark("a", 0);
    take(snapshots, 0);
    snapshots.mark("a", 10);
    snapshots.mark("a", 90);
    expect(take(snapshots, 99)).toEqual([]);
    expect(snapshots.nextAt()).toBe(100);
    expect(snapshots.take(100, 10)).toEqual([{ key: "a", since: 10 }]);
    expect(snapshots.nextAt()).toBeUndefined();
  });

  test("of one key is never taken twice at the same time", () => {
    const snapshots = coalescer();
    snapshots.mark("a", 0);
    snapshots.take(0, 10);
    snapshots.mark("a", 1);
    expect(snapshots.take(500, 10)).toEqual([]);
    expect(snapshots.nextAt()).toBeUndefined();
    snapshots.done("a", 500);
    expect(take(snapshots, 500)).toEqual(["a"]);
  });

  test("that failed is due again after the interval, with its first change", () => {
    const snapshots = coalescer();
    snapshots.mark("a", 3);
    snapshots.take(0, 10);
    snapshots.mark("a", 50);
    snapshots.mark("a", 3);
    snapshots.done("a", 60);
    expect(snapshots.nextAt()).toBe(100);
    expect(snapshots.take(100, 10)).toEqual([{ key: "a", since: 3 }]);
  });

  test("that failed waits as long as it is told, if that is longer than the interval", () => {
    const snapshots = coalescer();
    snapshots.mark("a", 3);
    snapshots.take(0, 10);
    snapshots.mark("a", 3);
    snapshots.done("a", 60, 500);
    expect(snapshots.nextAt()).toBe(560);
    expect(snapshots.take(559, 10)).toEqual([]);
    expect(snapshots.take(560, 10)).toEqual([{ key: "a", since: 3 }]);
    snapshots.done("a", 570, 1);
    snapshots.mark("a", 570);
    expect(snapshots.nextAt()).toBe(660);
  });

  test("waits where there is no room for it", () => {
    const snapshots = coalescer();
    for (const key of ["a", "b", "c"]) snapshots.mark(key, 0);
    expect(snapshots.take(0, 0)).toEqual([]);
    expect(snapshots.take(0, 2).map(({ key }) => key)).toEqual(["a", "b"]);
    expect(snapshots.take(0, 2).map(({ key }) => key)).toEqual(["c"]);
  });
});

describe("a hold", () => {
  test("keeps snapshots back until it is released", () => {
    const snapshots = coalescer();
    snapshots.hold(0);
    snapshots.mark("a", 0);
    expect(take(snapshots, 500)).toEqual([]);
    expect(snapshots.nextAt()).toBe(1_000);
    snapshots.release();
    expect(take(snapshots, 501)).toEqual(["a"]);
  });

  test("lets half-built boards through once a second at most", () => {
    const snapshots = coalescer();
    snapshots.hold(0);
    snapshots.mark("a", 0);
    expect(take(snapshots, 1_000)).toEqual(["a"]);
    snapshots.hold(1_050);
    snapshots.mark("a", 0);
    expect(take(snapshots, 1_900)).toEqual([]);
    expect(take(snapshots, 2_000)).toEqual(["a"]);
  });
});

test("whatever happens, no change is lost and no interval is too short", () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 150 }),
    marks: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
    hold: fc.constantFrom("hold", "release", "neither"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const snapshots = coalescer();
      const takenAt = new Map<string, number>();
      const changed = new Set<string>();
      let now = 0;
      const takeAll = () => {
        for (const key of take(snapshots, now)) {
          expect(now - (takenAt.get(key) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(
            EVERY_MS,
          );
          takenAt.set(key, now);
          changed.delete(key);
        }
      };
      for (const { afterMs, marks, hold } of steps) {
        now += afterMs;
        if (hold === "hold") snapshots.hold(now);
        if (hold === "release") snapshots.release();
        for (const key of marks) {
          snapshots.mark(key, now);
          changed.add(key);
        }
        takeAll();
      }
      // Nothing happens any more: the clock alone brings out the rest.
      for (let next = snapshots.nextAt(); next !== undefined; next = snapshots.nextAt()) {
        expect(next).toBeLessThanOrEqual(now + 1_000);
        now = Math.max(now, next);
        takeAll();
      }
      expect([...changed]).toEqual([]);
    }),
  );
});

/** Microseconds for one change and its taking, while `resting` keys wait for their time. */
function pumpCost(resting: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 10; round++) {
    const snapshots = new Coalescer({ everyMs: 1_000, holdMaxMs: 1_000 });
    for (let key = 0; key < resting; key++) snapshots.mark(`${key}`, 0);
    for (const { key } of snapshots.take(0, resting)) snapshots.done(key, 0);
    for (let key = 0; key < resting; key++) snapshots.mark(`${key}`, 1);
    const startedAt = performance.now();
    for (let i = 0; i < 200; i++) {
      snapshots.mark(`new ${i}`, 2);
      for (const { key } of snapshots.take(2, 16)) snapshots.done(key, 2);
      snapshots.nextAt();
    }
    best = Math.min(best, (performance.now() - startedAt) * 5);
  }
  return best;
}

test("a pump costs with ten thousand boards that wait what it costs with a hundred", () => {
  const [few, many] = [pumpCost(100), pumpCost(10_000)];
  process.stdout.write(
    `pump: ${few.toFixed(2)} µs with 100 that wait, ${many.toFixed(2)} with 10,000\n`,
  );
  // Going through all of them they were 100 times apart.
  expect(many / few).toBeLessThan(10);
});
