/** What the handlers need from outside, and what the stores promise. */
import type { RankTable } from "./rank-table.js";

/** One row of a board. */
export interface Row {
  /** By key (addresses.ts: scorerKey), as everywhere in here. */
  scorer: string;
  /** Empty where no name is known. */
  nickname: string;
  points: number;
  elapsedMs: number;
}

/** Which rows: the first, those behind a rank, or those around somebody. */
export type Selection =
  | { kind: "top"; size: number }
  | { kind: "after"; rank: number; size: number }
  | { kind: "around"; scorer: string; before: number; size: number };

/** A board at one moment, with some of its rows. */
export interface Board {
  /**
   * Two reads with the same state have seen the same rows in the same order; undefined where they are
   * being moved right now. An ended board has the same state in every store.
   */
  state: string | undefined;
  epoch: bigint;
  version: bigint;
  finalRound: number;
  /** The round being answered, or the last one. */
  round: number;
  /** Scores counted in it. */
  answers: number;
  joined: number;
  ended: boolean;
  /** How many have a score. */
  players: number;
  /** Rank of the first row. */
  firstRank: number;
  rows: Row[];
}

/** What a read of a board finds. */
export type FoundBoard = Board | "no such board" | "no such scorer";

/** Reads boards; throws UNAVAILABLE (retryable) while the store that holds them is out of reach. */
export interface Boards {
  read(sessionId: string, selection: Selection): Promise<FoundBoard>;
}

/** Ranks of everybody in a session, and those of the round before where they are known. */
export interface Ranks {
  finalRound: number;
  table: RankTable;
  previous?: RankTable;
  /** Positions in the log: every score up to `from` is in the table, none behind `to`. */
  scores?: { from: bigint; to: bigint };
}

/** Finds ranks; undefined for a session without a board. Throws like Boards. */
export interface RankTables {
  ranksOf(sessionId: string): Promise<Ranks | undefined>;
}

/** Resolves once the round is final in the board, or when the wait has been long enough. */
export interface FinalRounds {
  wait(sessionId: string, round: number, signal: AbortSignal): Promise<void>;
}

export interface GlobalRow {
  /** By key, like a scorer. */
  user: string;
  nickname: string;
  points: number;
  rank: number;
  sessions: number;
}

/** The tally of all ended sessions. Throws UNAVAILABLE while PostgreSQL is out of reach. */
export interface GlobalTally {
  /** Up to `size` rows behind `after`, and the state of the tally, which changes with any row of it. */
  read(after: GlobalPlace | undefined, size: number): Promise<{ state: string; rows: GlobalRow[] }>;
}

export type GlobalPlace = Pick<GlobalRow, "points" | "user" | "rank"> & { state: string };

/** Drops a partition's boards and has them read again from the log. Throws UNAVAILABLE. */
export interface Rebuilds {
  rebuild(partition: number): Promise<void>;
}
