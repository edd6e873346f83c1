import { expect, test } from "vitest";
import type { Client } from "./client.js";
import { Roster } from "./roster.js";

const host = () => ({}) as Client;
const players = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({
    playerId: `p${from + index}`,
    nickname: `n${from + index}`,
    isIn: true,
  }));

test("each host is told all, from the beginning, in slices", () => {
  const roster = new Roster();
  const [first, second] = [host(), host()];
  roster.add(players(0, 1_500));
  expect(roster.next(first)?.joined).toHaveLength(1_000);
  expect(roster.next(first)?.joined).toHaveLength(500);
  expect(roster.next(first)).toBeUndefined();
  roster.add(players(1_400, 1_600));
  expect(roster.next(first)?.joined).toHaveLength(100);
  expect(roster.next(second)?.joined[0]).toEqual({ playerId: "p0", nickname: "n0" });
});

test("a removal is told once, after the name, and a removed player is no name", () => {
  const roster = new Roster();
  const one = host();
  roster.add([...players(0, 2), { playerId: "gone", nickname: "x", isIn: false }]);
  expect(roster.remove("gone")).toBe(false);
  expect(roster.remove("stranger")).toBe(false);
  expect(roster.remove("p1")).toBe(true);
  expect(roster.remove("p1")).toBe(false);
  expect(roster.next(one)).toEqual({
    joined: [
      { playerId: "p0", nickname: "n0" },
      { playerId: "p1", nickname: "n1" },
    ],
    removed: ["p1"],
  });
  expect(roster.next(one)).toBeUndefined();
  expect(roster.listed).toBe(3);
});

test("without hosts nothing is kept", () => {
  const roster = new Roster();
  const one = host();
  roster.add(players(0, 2));
  roster.next(one);
  roster.forget(one);
  expect(roster.listed).toBe(0);
  expect(roster.pageToken).toBe("");
});
