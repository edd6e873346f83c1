import fc from "fast-check";
import { expect, test } from "vitest";
import { rendezvousOrder } from "./rendezvous.js";

const members = fc.uniqueArray(fc.stringMatching(/^[a-z0-9.:-]{1,20}$/), {
  minLength: 1,
  maxLength: 8,
});
const KEYS = Array.from({ length: 3_000 }, (_, i) => `quiz_${i}:0`);

const firstOf = (key: string, list: readonly string[]) => rendezvousOrder(key, list)[0];

test("the order holds every member once, whatever order they are told in", () => {
  fc.assert(
    fc.property(fc.string(), members, fc.integer(), (key, list, seed) => {
      const order = rendezvousOrder(key, list);
      expect([...order].sort()).toEqual([...list].sort());
      const told = [...list].sort((a, b) => ((a.length * 7 + seed) % 5) - ((b.length * 3) % 5));
      expect(rendezvousOrder(key, told)).toEqual(order);
    }),
  );
});

test("a member that goes moves only its own keys, each to the next in its order", () => {
  fc.assert(
    fc.property(fc.string(), members, fc.nat(), (key, list, at) => {
      const gone = list[at % list.length];
      const order = rendezvousOrder(key, list);
      const left = list.filter((each) => each !== gone);
      expect(rendezvousOrder(key, left)).toEqual(order.filter((each) => each !== gone));
    }),
  );
});

test("a member that comes takes its share of the keys and moves no other", () => {
  const before = ["10.0.0.1:9001", "10.0.0.2:9001", "10.0.0.3:9001"];
  const comes = "10.0.0.4:9001";
  let moved = 0;
  for (const key of KEYS) {
    const now = firstOf(key, [...before, comes]);
    if (now === firstOf(key, before)) continue;
    expect(now).toBe(comes);
    moved++;
  }
  expect(moved / KEYS.length).toBeGreaterThan(0.2);
  expect(moved / KEYS.length).toBeLessThan(0.3);
});

test.each([2, 3, 5, 10])("keys are shared evenly by %d members with names alike", (count) => {
  const pods = Array.from({ length: count }, (_, i) => `10.0.0.${i + 1}:9001`);
  const load = new Map(pods.map((pod) => [pod, 0]));
  for (const key of KEYS) {
    const pod = firstOf(key, pods) ?? "";
    load.set(pod, (load.get(pod) ?? 0) + 1);
  }
  for (const each of load.values()) {
    expect(each * count).toBeGreaterThan(KEYS.length * 0.8);
    expect(each * count).toBeLessThan(KEYS.length * 1.2);
  }
});

test("nobody is responsible where nobody is", () => {
  expect(rendezvousOrder("key", [])).toEqual([]);
});
