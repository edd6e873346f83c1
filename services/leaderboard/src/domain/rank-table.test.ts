import { expect, test } from "vitest";
import { placesWon, RankTable } from "./rank-table.js";

function tableOf(...rows: [playerId: string, points: number][]): RankTable {
  const table = new RankTable();
  for (const [playerId, points] of rows) table.add(playerId, points);
  return table;
}

test("ranks are distinct and the gap is to the player directly above", () => {
  const table = tableOf(["ann", 900], ["bob", 700], ["cy", 700], ["dee", -50]);
  expect(table.players).toBe(4);
  expect(table.find("ann")).toEqual({ points: 900, rank: 1, gap: 0 });
  expect(table.find("bob")).toEqual({ points: 700, rank: 2, gap: 200 });
  expect(table.find("cy")).toEqual({ points: 700, rank: 3, gap: 0 });
  expect(table.find("dee")).toEqual({ points: -50, rank: 4, gap: 750 });
  expect(table.find("eve")).toBeUndefined();
});

test("a player that a moving board shows twice keeps its first rank", () => {
  const table = tableOf(["ann", 900], ["bob", 700], ["ann", 600]);
  expect(table.players).toBe(2);
  expect(table.find("ann")).toMatchObject({ points: 900, rank: 1 });
});

test("places won are counted from the table before, where both know the player", () => {
  const before = tableOf(["ann", 500], ["bob", 400], ["cy", 300]);
  const table = tableOf(["cy", 900], ["ann", 800], ["bob", 400], ["dee", 100]);
  expect(placesWon("cy", table, before)).toBe(2);
  expect(placesWon("ann", table, before)).toBe(-1);
  expect(placesWon("dee", table, before)).toBe(0);
  expect(placesWon("ann", table, undefined)).toBe(0);
});
