import { describe, expect, test } from "vitest";
import {
  compareAnswers,
  compareBoard,
  compareStores,
  holds,
  type OwnAnswer,
  rank,
  type StoredAnswer,
} from "./compare.js";

const row = (submissionId: string, more: Partial<StoredAnswer> = {}): StoredAnswer => ({
  submissionId,
  round: 1,
  playerId: `of-${submissionId}`,
  points: 900,
  elapsedMs: 1_000,
  ...more,
});

const told = (submissionId: string, more: Partial<OwnAnswer> = {}): [string, OwnAnswer] => [
  submissionId,
  { round: 1, playerId: `of-${submissionId}`, verdict: "accepted", points: 900, ...more },
];

const clean = { lost: 0, doubled: 0, refused: 0, differing: 0, unacknowledged: 0, examples: [] };

describe("compareAnswers", () => {
  test("a store that holds every acknowledged answer once is clean", () => {
    const result = compareAnswers(new Map([told("a"), told("b")]), [row("b"), row("a")]);
    expect(result).toEqual(clean);
    expect(holds(result)).toBe(true);
  });

  test.each([
    ["an acknowledged answer that is not there is lost", [row("b")], { lost: 1 }],
    ["an answer that is there twice is doubled", [row("a"), row("b"), row("b")], { doubled: 1 }],
    [
      "a second answer of a player and round is doubled",
      [row("a"), row("b"), row("c", { playerId: "of-a" })],
      { doubled: 1, unacknowledged: 1 },
    ],
    ["other points than told differ", [row("a", { points: 899 }), row("b")], { differing: 1 }],
    ["another player's answer differs", [row("a", { playerId: "x" }), row("b")], { differing: 1 }],
  ])("%s", (_, stored, expected) => {
    const result = compareAnswers(new Map([told("a"), told("b")]), stored);
    expect(result).toMatchObject({ ...clean, ...expected, examples: expect.any(Array) });
    expect(result.examples).toHaveLength(1);
    expect(holds(result)).toBe(false);
  });

  test("what nobody answered for may be there or not, what was refused may not", () => {
    const book = new Map([
      told("a", { verdict: "unknown" }),
      told("b", { verdict: "unknown" }),
      told("c", { verdict: "refused" }),
    ]);
    expect(holds(compareAnswers(book, [row("a"), row("other")]))).toBe(true);
    expect(compareAnswers(book, [row("c")])).toMatchObject({ refused: 1, lost: 0 });
  });

  test("points that a player never heard of are not compared", () => {
    expect(compareAnswers(new Map([told("a", { points: undefined })]), [row("a")])).toEqual(clean);
  });
});

test("compareStores tells what one store has and the other has not, or otherwise", () => {
  const log = { name: "log", rows: [row("a"), row("b")] };
  expect(compareStores(log, { name: "PostgreSQL", rows: [row("b"), row("a")] })).toEqual([]);
  expect(compareStores(log, { name: "PostgreSQL", rows: [row("a", { elapsedMs: 2 })] })).toEqual([
    expect.stringMatching(/^log: .*1000 ms; PostgreSQL: .* in 2 ms$/),
    expect.stringMatching(/PostgreSQL: not there$/),
  ]);
});

describe("compareBoard", () => {
  const rows = [
    row("a", { playerId: "x", points: 900 }),
    row("b", { playerId: "y", points: 900, elapsedMs: 999 }),
    row("c", { playerId: "x", round: 2, points: -5, elapsedMs: 10 }),
  ];

  test("a board of every player in the one order is clean", () => {
    const board = rank(rows);
    expect(board.map(({ playerId, points, rank: place }) => [playerId, points, place])).toEqual([
      ["y", 900, 1],
      ["x", 895, 2],
    ]);
    expect(compareBoard(board, rows)).toEqual([]);
  });

  test("a missing player, another total and a changed order are told", () => {
    const [first, second] = rank(rows);
    if (!first || !second) throw new Error("two players");
    expect(compareBoard([first], rows)).toHaveLength(1);
    expect(compareBoard([first, { ...second, points: 1 }], rows)).toHaveLength(1);
    expect(compareBoard([second, first], rows)).toHaveLength(2);
  });
});
