/**
 * The accounts of a session against each other: what players were told, the log, PostgreSQL and the
 * board. Pure.
 */
import { scorerKey } from "@fanfare/proto/addresses";
import type { Standing } from "@fanfare/proto/leaderboard/v1/leaderboard_service";

/** What a player knows of an answer that was sent. */
export interface OwnAnswer {
  round: number;
  playerId: string;
  /** `unknown`: nobody said; it may be stored or not. */
  verdict: "accepted" | "refused" | "unknown";
  /** As told after the reveal; undefined where the player was not there to hear it. */
  points: number | undefined;
}

/** By submission id. */
export type OwnBook = ReadonlyMap<string, OwnAnswer>;

/** An answer as a store has it, or an outsider's score. */
export interface StoredAnswer {
  submissionId: string;
  round: number;
  playerId: string;
  points: number;
  elapsedMs: number;
  outside?: boolean;
}

/** One store against the players' book. */
export interface Comparison {
  /** Acknowledged and not there. */
  lost: number;
  /** There more than once: the same answer, or a second one of its player and round. */
  doubled: number;
  /** Refused for good, and there. */
  refused: number;
  /** There with other points than the player was told. */
  differing: number;
  /** There, and never acknowledged: allowed, as an acknowledgement may get lost. */
  unacknowledged: number;
  /** The first of what must not be, in words. */
  examples: string[];
}

const EXAMPLES_MAX = 10;

/** Whether every acknowledged answer is there exactly once, as it was told. */
export function holds({ lost, doubled, refused, differing }: Comparison): boolean {
  return lost + doubled + refused + differing === 0;
}

/** `stored` may hold answers of others: the book says nothing of those but for their being single. */
export function compareAnswers(book: OwnBook, stored: Iterable<StoredAnswer>): Comparison {
  const result: Comparison = {
    lost: 0,
    doubled: 0,
    refused: 0,
    differing: 0,
    unacknowledged: 0,
    examples: [],
  };
  const fault = (kind: "lost" | "doubled" | "refused" | "differing", what: string) => {
    result[kind]++;
    if (result.examples.length < EXAMPLES_MAX) result.examples.push(what);
  };
  const ids = new Set<string>();
  const places = new Set<string>();
  for (const { submissionId, round, playerId, points } of stored) {
    const place = `round ${round}, player ${playerId}`;
    const own = book.get(submissionId);
    if (ids.has(submissionId) || places.has(place)) fault("doubled", `${place}: there twice`);
    ids.add(submissionId);
    places.add(place);
    if (own?.verdict !== "accepted") {
      if (own?.verdict === "refused") fault("refused", `${place}: refused, and there`);
      else result.unacknowledged++;
    } else if (own.round !== round || own.playerId !== playerId)
      fault("differing", `${place}: was acknowledged to round ${own.round}, ${own.playerId}`);
    else if (own.points !== undefined && own.points !== points)
      fault("differing", `${place}: ${points} points, and ${own.points} told`);
  }
  for (const [submissionId, { round, playerId, verdict }] of book)
    if (verdict === "accepted" && !ids.has(submissionId))
      fault("lost", `round ${round}, player ${playerId}: acknowledged, and not there`);
  return result;
}

/** Differences between two stores of the same answers, each by id; none where they are equal. */
export function compareStores(
  one: { name: string; rows: readonly StoredAnswer[] },
  other: { name: string; rows: readonly StoredAnswer[] },
): string[] {
  const textOf = ({ round, playerId, points, elapsedMs }: StoredAnswer) =>
    `round ${round}, player ${playerId}: ${points} points in ${elapsedMs} ms`;
  const left = new Map(other.rows.map((row) => [row.submissionId, textOf(row)]));
  const differences: string[] = [];
  for (const row of one.rows) {
    const [mine, theirs] = [textOf(row), left.get(row.submissionId)];
    left.delete(row.submissionId);
    if (mine !== theirs)
      differences.push(`${one.name}: ${mine}; ${other.name}: ${theirs ?? "not there"}`);
  }
  for (const text of left.values()) differences.push(`${other.name}: ${text}; ${one.name}: none`);
  return differences;
}

export type BoardRow = Pick<Standing, "playerId" | "outside" | "points" | "elapsedMs" | "rank">;

/** Differences between the whole board and the sum of the scores, every row and rank. */
export function compareBoard(board: readonly BoardRow[], rows: readonly StoredAnswer[]): string[] {
  const expected = rank(rows);
  const differences: string[] = [];
  for (let place = 0; place < Math.max(board.length, expected.length); place++) {
    const [shown, counted] = [textOfRow(board[place]), textOfRow(expected[place])];
    if (shown !== counted) differences.push(`board: ${shown}; counted: ${counted}`);
  }
  return differences;
}

function textOfRow(row: BoardRow | undefined): string {
  if (!row) return "nobody";
  return `${row.rank}. ${scorerOf(row)} with ${row.points} points in ${row.elapsedMs} ms`;
}

/** Players and outsiders may have the same id, and are two all the same. */
export function scorerOf({
  playerId,
  outside = false,
}: Pick<StoredAnswer, "playerId" | "outside">) {
  return scorerKey({ id: playerId, outside });
}

/** The board that these scores make: points, then less time, then scorer key by bytes. */
export function rank(
  rows: readonly Pick<StoredAnswer, "playerId" | "points" | "elapsedMs" | "outside">[],
): BoardRow[] {
  const totals = new Map<string, BoardRow>();
  for (const row of rows) {
    const { playerId, outside = false, points, elapsedMs } = row;
    const key = scorerOf(row);
    const total = totals.get(key) ?? { playerId, outside, points: 0, elapsedMs: 0, rank: 0 };
    total.points += points;
    total.elapsedMs += elapsedMs;
    totals.set(key, total);
  }
  const sorted = [...totals].sort(
    ([a, one], [b, other]) =>
      other.points - one.points || one.elapsedMs - other.elapsedMs || (a < b ? -1 : 1),
  );
  return sorted.map(([, row], place) => ({ ...row, rank: place + 1 }));
}
