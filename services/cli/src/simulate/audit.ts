/** Compares the three accounts of a game: the players' book, PostgreSQL, and the board. Pure. */
import type { HistoryRow } from "@fanfare/proto/quiz/v1/quiz_service";
import { rank, scorerOf } from "../ledgers/compare.js";
import type { LivescoreRow } from "../player/livescore-socket.js";
import type { Book } from "./book.js";

type Row = Pick<HistoryRow, "round" | "playerId" | "nickname" | "points" | "elapsedMs"> &
  Partial<Pick<HistoryRow, "outside">>;

/** Differences between PostgreSQL and the players' book, in words; none where they agree. */
export function compareHistory(book: Book, rows: readonly Row[]): string[] {
  const differences: string[] = [];
  const seen = new Set<string>();
  for (const { round, nickname, points, outside } of rows) {
    if (outside) continue;
    const where = `round ${round}, ${nickname}`;
    if (seen.has(where)) differences.push(`${where}: more than one row in PostgreSQL`);
    seen.add(where);
    const entry = book.entry(round, nickname);
    if (!entry || entry.verdict === "refused")
      differences.push(`${where}: a row in PostgreSQL that was never acknowledged`);
    else if (entry.points !== undefined && entry.points !== points)
      differences.push(`${where}: ${points} points in PostgreSQL, told ${entry.points}`);
  }
  for (const { round, nickname, verdict } of book.entries()) {
    const where = `round ${round}, ${nickname}`;
    if (verdict === "accepted" && !seen.has(where))
      differences.push(`${where}: acknowledged, but not in PostgreSQL`);
  }
  return differences;
}

/** Differences between the board and the sum of the rows, in the order that holds everywhere. */
export function compareBoard(
  board: readonly LivescoreRow[],
  rows: readonly Row[],
  limit: number,
): string[] {
  const expected = rank(rows).slice(0, limit);
  const nicknames = new Map(rows.map((row) => [scorerOf(row), row.nickname]));
  const differences = expected.flatMap(({ playerId, outside, points }, place) => {
    const nickname = nicknames.get(scorerOf({ playerId, outside })) ?? playerId;
    const row = board[place];
    const isSame = row?.PlayerID === nickname && row.Score === points && row.Rank === place + 1;
    const shown = row ? `${row.PlayerID} with ${row.Score} at rank ${row.Rank}` : "nobody";
    return isSame ? [] : [`place ${place + 1}: ${nickname} with ${points}, the board has ${shown}`];
  });
  if (board.length > expected.length)
    differences.push(`the board has ${board.length} rows, PostgreSQL ${expected.length}`);
  return differences;
}
