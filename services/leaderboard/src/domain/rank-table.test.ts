import { expect, test } from "vitest";
import { RankTable } from "./rank-table.js";

function tableOf(...rows: [playerId: string, points: number][]): RankTable {
  const table = new RankTable();
  for (const [playerId, points] of rows) table.add(playerId, points);
  return table;
}

test("ranks are distinct and the gap is to the player directly above", () => {
  const table = tableOf(["ann", 900], ["bob", 700], ["cy", 700], ["dee", -50]);
  expect(table.players).toBe(4);
  const rows = ["ann", "bob", "cy", "dee"].map((id) => {
    const rank = table.rankOf(id);
    return [rank, table.pointsAt(rank), table.gapAt(rank)];
  });
  expect(rows).toEqual([
    [1, 900, 0],
    [2, 700, 200],
    [3, 700, 0],
    [4, -50, 750],
  ]);
  expect(table.rankOf("eve")).toBe(0);
});

test("a player that a moving board shows twice keeps its first rank", () => {
  const table = tableOf(["ann", 900], ["bob", 700], ["ann", 600]);
  expect(table.players).toBe(2);
  expect(table.rankOf("ann")).toBe(1);
  expect(table.pointsAt(1)).toBe(900);
});
