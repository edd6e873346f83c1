/** The whole board of a session, page by page. */
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

/** Rejects with a ServiceError. Read it when scores stand still: pages are read one after another. */
export async function readBoard(
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
