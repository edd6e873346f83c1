import { create } from "@bufbuild/protobuf";
import { OwnResultSchema } from "@fanfare/proto/gateway/v1/frames";
import { describe, expect, test } from "vitest";
import { compareBoard, compareHistory } from "./audit.js";
import { Book } from "./book.js";

const accepted = { kind: "accepted", ackMs: 3, attempts: 1 } as const;
const unknown = { kind: "unknown", attempts: 4 } as const;

function bookOf(answers: [round: number, nickname: string, points?: number][]): Book {
  const book = new Book();
  for (const [round, nickname, points] of answers) {
    book.sent(round, nickname);
    book.answered(round, nickname, accepted);
    if (points !== undefined)
      book.result(nickname, create(OwnResultSchema, { round, answered: true, points }));
  }
  return book;
}

function row(round: number, nickname: string, points: number, elapsedMs = 1_000) {
  return { round, playerId: `id-${nickname}`, nickname, points, elapsedMs };
}

describe("the history of a game", () => {
  test("agrees with the players' book where both hold the same", () => {
    const book = bookOf([
      [1, "ann", 900],
      [1, "bob"],
    ]);
    expect(compareHistory(book, [row(1, "ann", 900), row(1, "bob", 0)])).toEqual([]);
  });

  test("lacks an acknowledged answer", () => {
    const differences = compareHistory(bookOf([[1, "ann", 900]]), []);
    expect(differences).toEqual(["round 1, ann: acknowledged, but not in PostgreSQL"]);
  });

  test("holds an answer twice", () => {
    const rows = [row(1, "ann", 900), row(1, "ann", 900)];
    const differences = compareHistory(bookOf([[1, "ann", 900]]), rows);
    expect(differences).toEqual(["round 1, ann: more than one row in PostgreSQL"]);
  });

  test("holds an answer that was refused", () => {
    const book = new Book();
    const refused = { kind: "refused", reason: 60, message: "", attempts: 1 } as const;
    book.answered(1, "ann", refused);
    expect(compareHistory(book, [row(1, "ann", 900)])).toHaveLength(1);
  });

  test("may hold or lack an answer of which nobody was told", () => {
    const book = new Book();
    book.sent(1, "ann");
    book.answered(1, "ann", unknown);
    expect(compareHistory(book, [])).toEqual([]);
    expect(compareHistory(book, [row(1, "ann", 900)])).toEqual([]);
  });

  test("holds other points than the player was told", () => {
    const differences = compareHistory(bookOf([[1, "ann", 900]]), [row(1, "ann", 899)]);
    expect(differences).toEqual(["round 1, ann: 899 points in PostgreSQL, told 900"]);
  });
});

describe("the board of a game", () => {
  const rows = [
    row(1, "ann", 500, 900),
    row(2, "ann", 500, 900),
    row(1, "bob", 1_000, 1_700),
    row(1, "cid", 0, 100),
  ];
  const board = [
    { PlayerID: "bob", Score: 1_000, Rank: 1 },
    { PlayerID: "ann", Score: 1_000, Rank: 2 },
    { PlayerID: "cid", Score: 0, Rank: 3 },
  ];

  test("agrees where points, order and ranks do; equal points go to the quicker", () => {
    expect(compareBoard(board, rows, 100)).toEqual([]);
  });

  test("differs in a score", () => {
    const wrong = board.with(2, { PlayerID: "cid", Score: 7, Rank: 3 });
    expect(compareBoard(wrong, rows, 100)).toEqual([
      "place 3: cid with 0, the board has cid with 7 at rank 3",
    ]);
  });

  test("differs in the order of equal points", () => {
    const [bob, ann, cid] = board;
    if (!bob || !ann || !cid) throw new Error("three rows");
    const swapped = [{ ...ann, Rank: 1 }, { ...bob, Rank: 2 }, cid];
    expect(compareBoard(swapped, rows, 100)).toHaveLength(2);
  });

  test("lacks a player or has one too many", () => {
    expect(compareBoard(board.slice(0, 2), rows, 100)).toHaveLength(1);
    expect(compareBoard(board, rows.slice(0, 3), 100)).toHaveLength(1);
  });

  test("is compared as far as it is shown", () => {
    expect(compareBoard(board.slice(0, 2), rows, 2)).toEqual([]);
  });
});
