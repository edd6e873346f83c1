/** The four-ledger check of one session of a load: own book, log, PostgreSQL and board. */
import { setTimeout as delay } from "node:timers/promises";
import { ServiceError } from "@fanfare/common/errors";
import type { ServiceClient } from "@fanfare/common/grpc-client";
import type { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import type { NatsConnection } from "@nats-io/transport-node";
import { nowMs } from "../crowd/clock.js";
import type { Door } from "../door.js";
import {
  type Comparison,
  compareAnswers,
  compareBoard,
  compareStores,
  holds,
  type OwnAnswer,
  type OwnBook,
  type StoredAnswer,
} from "../ledgers/compare.js";
import { readBoard } from "../ledgers/read-board.js";
import { readHistory } from "../ledgers/read-history.js";
import { readLog } from "../ledgers/read-log.js";

export interface LedgerSources {
  quiz: ServiceClient<typeof QuizService>;
  leaderboard: Door<typeof LeaderboardService>;
  nats: NatsConnection | undefined;
  /** Why the log can't be read, where it can't. */
  natsFault: string | undefined;
}

export interface LedgerResult {
  session: string;
  /** In the players' own book. */
  acknowledged: number;
  /** In PostgreSQL, whoever sent them. */
  answers: number;
  /** Undefined where it was not checked, and why. */
  log: Comparison | undefined;
  logNotChecked: string | undefined;
  postgres: Comparison;
  board: { players: number; store: string; differences: number };
  /** What must not be, in words; none where every promise was kept. */
  broken: string[];
}

const POLL_MS = 500;
const EXAMPLES_MAX = 10;

/** Reads until all agree, or as long as the stores may take. */
export async function auditSession(
  sources: LedgerSources,
  of: { session: string; book: OwnBook; limitMs: number },
): Promise<LedgerResult> {
  const deadline = nowMs() + of.limitMs;
  for (;;) {
    const isLast = nowMs() > deadline;
    try {
      const result = await auditOnce(sources, of);
      if (result.broken.length === 0 || isLast) return result;
    } catch (error) {
      if (isLast || !(error instanceof ServiceError)) throw error;
    }
    await delay(POLL_MS);
  }
}

async function auditOnce(
  { quiz, leaderboard, nats, natsFault }: LedgerSources,
  { session, book }: { session: string; book: OwnBook },
): Promise<LedgerResult> {
  const scores = await readHistory(quiz, session);
  // Scores of outsiders are no answers, but stand on the board.
  const rows: StoredAnswer[] = scores.filter(({ outside }) => !outside);
  const log = nats && (await readLog(nats, session));
  const board = await readBoard(leaderboard, session);
  const postgres = compareAnswers(book, rows);
  const inLog = log && compareAnswers(book, log);
  const stores = log ? compareStores({ name: "log", rows: log }, { name: "PostgreSQL", rows }) : [];
  const ofBoard = compareBoard(board.rows, scores);
  return {
    session,
    acknowledged: [...book.values()].filter(({ verdict }) => verdict === "accepted").length,
    answers: rows.length,
    log: inLog,
    logNotChecked: natsFault,
    postgres,
    board: { players: board.rows.length, store: board.store, differences: ofBoard.length },
    broken: [
      ...(holds(postgres) ? [] : postgres.examples.map((what) => `PostgreSQL: ${what}`)),
      ...(!inLog || holds(inLog) ? [] : inLog.examples.map((what) => `log: ${what}`)),
      ...stores.slice(0, EXAMPLES_MAX),
      ...ofBoard.slice(0, EXAMPLES_MAX),
    ],
  };
}

/** The part of the book that belongs to one of the sessions that players are dealt to by number. */
export function booksOf(
  book: Iterable<readonly [string, OwnAnswer]>,
  sessions: readonly string[],
  numberOf: (submissionId: string) => number,
): Map<string, OwnBook> {
  const books = new Map(sessions.map((session) => [session, new Map()]));
  for (const [id, answer] of book)
    books.get(sessions[numberOf(id) % sessions.length] ?? "")?.set(id, answer);
  return books;
}
