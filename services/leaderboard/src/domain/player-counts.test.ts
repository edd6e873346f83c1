import { expect, test } from "vitest";
import { PlayerCounts } from "./player-counts.js";

const all = () => true;

test("counts what each board said last, and nothing of those that have ended", () => {
  const counts = new PlayerCounts();
  counts.note(1, "a", 3);
  counts.note(1, "b", 4);
  counts.note(2, "c", 10);
  counts.note(1, "a", 5);
  expect(counts.total(all)).toBe(19);
  counts.note(2, "c", 0);
  expect(counts.total(all)).toBe(9);
});

test("leaves partitions that others read, and sessions that are gone, out", () => {
  const counts = new PlayerCounts();
  counts.note(1, "a", 3);
  counts.note(1, "b", 4);
  counts.note(2, "c", 10);
  expect(counts.total((partition) => partition === 1)).toBe(7);
  counts.retain(1, ["b", "d"]);
  counts.retain(9, []);
  expect(counts.total(all)).toBe(14);
});
