import { describe, expect, test } from "vitest";
import { rows } from "../../test/backstage.js";
import { RowsText } from "./rows-text.js";

const shown = (count: number, of = rows(count)) =>
  JSON.stringify(
    of.slice(0, count).map(({ nickname, points, rank }) => ({
      PlayerID: nickname,
      Score: points,
      Rank: rank,
    })),
  );

describe("the rows of a board", () => {
  test.each([0, 1, 2, 99, 100, 101, 5_000])("cut at %i are those rows as JSON", (count) => {
    const board = rows(100, "Đặng 🎺 ");
    const text = new RowsText(board);
    expect(text.first(count)).toBe(shown(Math.min(count, 100), board));
    expect(text.first(100)).toBe(shown(100, board));
  });

  test("of nobody are none", () => {
    expect(new RowsText([]).first(10)).toBe("[]");
  });

  test("are compared row by row", () => {
    const board = rows(5);
    const moved = board.map((row, i) => (i === 3 ? { ...row, points: 1 } : row));
    const text = new RowsText(board);
    expect(text.sameAs(text)).toBe(Number.POSITIVE_INFINITY);
    expect(text.sameAs(new RowsText(rows(5)))).toBe(Number.POSITIVE_INFINITY);
    expect(text.sameAs(new RowsText(moved))).toBe(3);
    expect(text.sameAs(new RowsText(rows(4)))).toBe(4);
    expect(new RowsText(rows(4)).sameAs(text)).toBe(4);
    expect(new RowsText([]).sameAs(text)).toBe(0);
  });

  test("cost no more to cut at a thousand places than at one a thousand times", () => {
    const text = new RowsText(rows(1_000));
    const cut = (limits: readonly number[]) => {
      const startedAt = performance.now();
      let bytes = 0;
      for (let turn = 0; turn < 50; turn++)
        for (const limit of limits) bytes += text.withFirst(limit, ({ length }) => length);
      return { ms: performance.now() - startedAt, bytes };
    };
    const one = Array.from({ length: 1_000 }, () => 500);
    const many = Array.from({ length: 1_000 }, (_, i) => i + 1);
    cut(many);
    const ratios = Array.from({ length: 9 }, () => cut(many).ms / cut(one).ms).sort(
      (a, b) => a - b,
    );
    expect(ratios[4]).toBeLessThan(3);
  });
});
