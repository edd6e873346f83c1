import { expect, test } from "vitest";
import { connectionNames } from "./connection-names.js";

test("names rise within a process, even where its clock steps back", () => {
  let now = 1_800_000_000_000;
  const name = connectionNames({ now: () => now }, "pod");
  const names = [name(), name()];
  now -= 5_000;
  names.push(name());
  now += 5_001;
  names.push(name());
  expect([...names].sort()).toEqual(names);
  expect(new Set(names).size).toBe(4);
});

test("between processes the later one is the greater", () => {
  const early = connectionNames({ now: () => 1_800_000_000_000 }, "z");
  const late = connectionNames({ now: () => 1_800_000_000_001 }, "a");
  const [first, second] = [early(), late()];
  expect(first < second).toBe(true);
});
