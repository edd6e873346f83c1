import { expect, test } from "vitest";
import { compare } from "./ledger.js";

const told = new Set(["r1-0", "r1-1"]);

test("a ledger that holds every acknowledged answer once is clean", () => {
  const ledger = new Map([...told].map((id) => [id, 1]));
  expect(compare(told, ledger)).toEqual({ lost: 0, doubled: 0, unacknowledged: 0 });
});

test("an acknowledged answer that is not there is lost, whatever else is there", () => {
  const ledger = new Map([
    ["r1-0", 1],
    ["r1-7", 1],
  ]);
  expect(compare(told, ledger)).toEqual({ lost: 1, doubled: 0, unacknowledged: 1 });
});

test("an answer that is there twice is doubled", () => {
  const ledger = new Map([
    ["r1-0", 2],
    ["r1-1", 1],
  ]);
  expect(compare(told, ledger)).toEqual({ lost: 0, doubled: 1, unacknowledged: 0 });
});
