/** Reads a session that has ended, from the places where the product keeps it. */
import { setTimeout as delay } from "node:timers/promises";
import type { ServiceClient } from "@fanfare/common/grpc-client";
import type { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { PlayerStatus, type QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import type { Door } from "../door.js";
import { scorerOf } from "../ledgers/compare.js";
import { readBoard } from "../ledgers/read-board.js";
import { readHistory } from "../ledgers/read-history.js";
import type { RecordedRow, SessionRecord } from "./record.js";

export interface RecordSources {
  quiz: ServiceClient<typeof QuizService>;
  leaderboard: Door<typeof LeaderboardService>;
}

const PAGE_SIZE = 1_000;
const HISTORY_LIMIT_MS = 30_000;
const POLL_MS = 250;

/** Waits until PostgreSQL has every answer. Rejects where the session has not ended. */
export async function takeRecord(
  sources: RecordSources,
  sessionId: string,
): Promise<SessionRecord> {
  const { quiz, leaderboard } = sources;
  const { session } = await quiz.getSession({ sessionId });
  if (session?.phase !== Phase.ENDED || !session.options)
    throw new Error(`session ${sessionId} is still played: record it when it has ended`);
  const { quiz: frozen } = await quiz.exportQuiz({ sessionId });
  if (!frozen) throw new Error(`the questions of ${sessionId} did not come`);
  const board = await finalBoard(leaderboard, sessionId);
  const rows = await historyOf(sources, sessionId, board);
  return {
    sessionId,
    title: session.title,
    rounds: session.round,
    options: session.options,
    quiz: frozen,
    players: await playersOf(quiz, sessionId),
    answers: rows
      .filter(({ outside }) => !outside)
      .map(({ round, playerId, submissionId, choices, elapsedMs, points }) => ({
        round,
        playerId,
        submissionId,
        choices,
        elapsedMs,
        points,
      })),
    outside: rows
      .filter(({ outside }) => outside)
      .map(({ round, playerId: name, points }) => ({ round, name, points })),
    board,
  };
}

export async function finalBoard(
  leaderboard: Door<typeof LeaderboardService>,
  sessionId: string,
): Promise<RecordedRow[]> {
  const { rows } = await readBoard(leaderboard, sessionId);
  return rows.map(({ playerId, outside, nickname, points, elapsedMs, rank }) => ({
    playerId,
    outside,
    nickname,
    points,
    elapsedMs,
    rank,
  }));
}

/** PostgreSQL is seconds behind: it has everything once its points are those of the board. */
async function historyOf(
  { quiz }: RecordSources,
  sessionId: string,
  board: readonly RecordedRow[],
) {
  const deadline = performance.now() + HISTORY_LIMIT_MS;
  for (;;) {
    const rows = await readHistory(quiz, sessionId);
    const totals = new Map<string, number>();
    for (const row of rows)
      totals.set(scorerOf(row), (totals.get(scorerOf(row)) ?? 0) + row.points);
    if (board.every((row) => totals.get(scorerOf(row)) === row.points)) return rows;
    if (performance.now() > deadline)
      throw new Error(`PostgreSQL and the board of ${sessionId} do not agree: nothing to record`);
    await delay(POLL_MS);
  }
}

async function playersOf(
  quiz: ServiceClient<typeof QuizService>,
  sessionId: string,
): Promise<SessionRecord["players"]> {
  const players: SessionRecord["players"] = [];
  let pageToken = "";
  do {
    const page = await quiz.listPlayers({ sessionId, pageSize: PAGE_SIZE, pageToken });
    for (const { playerId, nickname, status } of page.players)
      players.push({ playerId, nickname, status: status || PlayerStatus.ACTIVE });
    pageToken = page.nextPageToken;
  } while (pageToken);
  return players;
}
