import { Phase } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { board, session } from "../../test/staged.js";
import { FrameEncoder } from "./frame-codec.js";
import { RoomBoard } from "./room-board.js";

function open() {
  const encoded: string[] = [];
  return { encoded, held: new RoomBoard(new FrameEncoder((type) => encoded.push(type))) };
}

test.each([
  ["a lower version", { epoch: 1n, version: 4n }, false],
  ["the same version", { epoch: 1n, version: 5n }, false],
  ["a higher version", { epoch: 1n, version: 6n }, true],
  ["an older epoch with a higher version", { epoch: 0n, version: 9n }, false],
  ["a new epoch with a lower version", { epoch: 2n, version: 1n }, true],
])("after version 5 of epoch 1, %s: taken is %s", (_, position, taken) => {
  const { held } = open();
  held.take(board(1, { epoch: 1n, version: 5n }), session(), 0);
  expect(held.take(board(2, position), session(), 0) !== undefined).toBe(taken);
});

test("a snapshot says what it changes for those who are here", () => {
  const { held } = open();
  held.take(board(20), session(), 0);
  const news = (change: object, count = 20) => held.take(board(count, change), session(), 0);
  expect(news({ version: 2n })).toEqual({
    rows: false,
    joined: false,
    answers: false,
    healed: false,
  });
  expect(news({ version: 3n, answers: 5 })).toMatchObject({ rows: false, answers: true });
  expect(news({ version: 4n, answers: 5, joined: 9 })).toMatchObject({ joined: true });
  expect(news({ version: 5n, answers: 5, joined: 9, finalRound: 1 })).toMatchObject({ rows: true });
});

test("a move below the rows that everybody sees is none", () => {
  const { held } = open();
  const before = board(30);
  held.take(before, session(), 0);
  const after = board(30, { version: 2n });
  const row = after.standings[20];
  if (row) row.points = 1;
  expect(held.take(after, session(), 0)).toMatchObject({ rows: false });
});

test("the frame is encoded once until the rows change, and holds as many as the session shows", () => {
  const { held, encoded } = open();
  const small = session({ options: { boardSize: 3 } as never });
  held.take(board(30), small, 0);
  const frame = held.frame(small);
  expect(JSON.parse(frame?.text ?? "").board.standings).toHaveLength(3);
  expect(held.frame(small)).toBe(frame);
  expect(encoded).toEqual(["board"]);
});

test("a stale board is said once, and only a board with the closed round heals it", () => {
  const { held } = open();
  held.take(board(1), session(), 0);
  expect(held.markStale()).toBe(true);
  expect(held.markStale()).toBe(false);
  expect(held.take(board(1, { version: 2n, finalRound: 1 }), session(), 2)?.healed).toBe(false);
  expect(held.take(board(1, { version: 3n, finalRound: 2 }), session(), 2)?.healed).toBe(true);
});

test("what an earlier session of this id has left is not this session's board", () => {
  const { held } = open();
  held.take(board(5, { ended: true }), undefined, 0);
  expect(held.of(session({ phase: Phase.LOBBY }))).toBeUndefined();
  expect(held.of(session({ phase: Phase.ENDED }))?.players).toBe(5);
  expect(held.of(undefined)?.players).toBe(5);
});
