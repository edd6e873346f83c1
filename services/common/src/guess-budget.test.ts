import { expect, test } from "vitest";
import { GuessBudget } from "./guess-budget.js";

const budget = (more = {}) =>
  new GuessBudget({
    PINS_PER_MINUTE_PER_CALLER: 10,
    PINS_PER_MINUTE_PER_IP: 60,
    PINS_PER_MINUTE: 1_200,
    ...more,
  });

test("of many guesses at once no more are reserved than one after the other", () => {
  const guesses = budget();
  const kinds = Array.from({ length: 400 }, (_, i) =>
    guesses.reserve({ caller: `10.0.0.0/24 n${i}`, prefix: "10.0.0.0/24" }, 0),
  );
  expect(kinds.filter(({ kind }) => kind === "reserved")).toHaveLength(60);
  expect(kinds.at(-1)).toMatchObject({ limit: "PINS_PER_MINUTE_PER_IP", waitMs: 1_000 });
});

test("who has spent its own guesses takes none from its neighbours", () => {
  const guesses = budget();
  const reserve = (caller: string) => guesses.reserve({ caller, prefix: "p" }, 0);
  const eve = Array.from({ length: 500 }, () => reserve("eve"));
  expect(eve.filter(({ kind }) => kind === "reserved")).toHaveLength(10);
  expect(eve.at(-1)).toMatchObject({ limit: "PINS_PER_MINUTE_PER_CALLER" });
  expect(reserve("ann")).toMatchObject({ kind: "reserved", waitMs: 0 });
});

test("a right PIN is not spent, however often it is told", () => {
  const guesses = budget();
  for (let i = 0; i < 5_000; i++) {
    const guess = guesses.reserve({ caller: "ann", prefix: "p" }, 0);
    expect(guess).toMatchObject({ kind: "reserved", waitMs: 0 });
    if (guess.kind === "reserved") guess.giveBack();
  }
});

test("guesses of all the world together wait, and those beyond that are sent away", () => {
  const guesses = budget({ PINS_PER_MINUTE: 600 });
  const waits = Array.from({ length: 1_000 }, (_, i) =>
    guesses.reserve({ caller: `c${i}`, prefix: `p${i}` }, 0),
  );
  const reserved = waits.filter((guess) => guess.kind === "reserved");
  expect(reserved).toHaveLength(630);
  expect(reserved[599]).toMatchObject({ waitMs: 0 });
  expect(reserved.at(-1)).toMatchObject({ waitMs: 3_000 });
  expect(waits.at(-1)).toMatchObject({ kind: "spent", limit: "PINS_PER_MINUTE" });
  // Who was sent away has spent nothing of its own.
  const later = guesses.reserve({ caller: "c999", prefix: "p999" }, 60_000);
  expect(later).toMatchObject({ kind: "reserved", waitMs: 0 });
});

test("a minute later the budget is whole again", () => {
  const guesses = budget();
  const reserve = (now: number) => guesses.reserve({ caller: `c${now}`, prefix: "p" }, now);
  for (let i = 0; i < 60; i++) reserve(i / 1_000);
  expect(reserve(1)).toMatchObject({ kind: "spent" });
  for (let i = 0; i < 60; i++)
    expect(reserve(60_001 + i / 1_000)).toMatchObject({ kind: "reserved" });
});
