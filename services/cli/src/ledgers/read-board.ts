/** The whole board of a session, page by page. */
import { ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type {
  LeaderboardService,
  Standing,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type { Door } from "../door.js";

const PAGE_SIZE = 1_000;

export interface WholeBoard {
  rows: Standing[];
  /** The last closed round that it holds. */
  finalRound: number;
  /** Which store answered: ended sessions that Redis has dropped come from PostgreSQL. */
  store: "Redis" | "PostgreSQL";
}

/** Readings from the first page on of a board that moves between two pages. */
const READS_MAX = 5;

/** Rejects with a ServiceError: with BOARD_CHANGED where scores do not stand still for long enough. */
export async function readBoard(
  leaderboard: Door<typeof LeaderboardService>,
  sessionId: string,
): Promise<WholeBoard> {
  for (let reads = 1; ; reads++)
    try {
      return await readPages(leaderboard, sessionId);
    } catch (error) {
      const hasMoved = error instanceof ServiceError && error.reason === ErrorReason.BOARD_CHANGED;
      if (!hasMoved || reads === READS_MAX) throw error;
    }
}

async function readPages(
  leaderboard: Door<typeof LeaderboardService>,
  sessionId: string,
): Promise<WholeBoard> {
  const board: WholeBoard = { rows: [], finalRound: 0, store: "Redis" };
  let pageToken = "";
  do {
    const page = await leaderboard.getLeaderboard({ sessionId, pageSize: PAGE_SIZE, pageToken });
    board.rows.push(...page.standings);
    board.finalRound = page.finalRound;
    // PostgreSQL's boards have no epoch.
    if (page.epoch === 0n) board.store = "PostgreSQL";
    pageToken = page.nextPageToken;
  } while (pageToken);
  return board;
}
