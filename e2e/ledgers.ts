/**
 * The four ledgers of a session: what players were told, the log, PostgreSQL and the board. They must
 * agree, whatever died on the way.
 */

import {
  readScorerKey,
  readStoredSubject,
  STREAMS,
  storedSessionSubjects,
} from "@fanfare/proto/addresses";
import { DeliverPolicy, jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import postgres from "postgres";
import { expect } from "vitest";
import { type Book, type Stage, until } from "./stage.js";

/** Submission id by `<round> <player>`, and points by player. */
export interface Ledger {
  answers: Map<string, string>;
  points: Map<string, number>;
}

/** Waits until PostgreSQL and the board have what the book has, then compares all four exactly. */
export async function expectLedgersAgree(
  stage: Stage,
  sessionId: string,
  book: Book,
  limits = { historyMs: 30_000, boardMs: 5_000 },
): Promise<Ledger> {
  const log = await readLog(stage, sessionId);
  expect(log.answers, "the log holds exactly what was acknowledged").toEqual(book.accepted);
  const history = await until(async () => {
    const rows = await readHistory(stage, sessionId);
    return rows.answers.size >= log.answers.size && rows;
  }, limits.historyMs);
  expect(history, "PostgreSQL is the log").toEqual(log);
  const wanted = JSON.stringify(sorted(log.points));
  const board = await until(async () => {
    const points = await readBoard(stage, sessionId);
    return JSON.stringify(sorted(points)) === wanted && points;
  }, limits.boardMs).catch(() => readBoard(stage, sessionId));
  expect(sorted(board), "the board is the log").toEqual(sorted(log.points));
  return log;
}

function sorted(points: Map<string, number>): [string, number][] {
  return [...points].sort(([a], [b]) => (a < b ? -1 : 1));
}

interface StoredBatch {
  answers?: { playerId: string; submissionId: string; points?: number }[];
}

/** Recounts the log itself: every answer entry, by hand. A second answer of a player fails here. */
export async function readLog(stage: Stage, sessionId: string): Promise<Ledger> {
  const nc = await connect({ servers: stage.stack.natsUrl });
  try {
    const filter_subjects = [storedSessionSubjects(sessionId)];
    const consumer = await jetstream(nc).consumers.get(STREAMS.log, {
      filter_subjects,
      deliver_policy: DeliverPolicy.All,
    });
    const ledger: Ledger = { answers: new Map(), points: new Map() };
    let pending = (await consumer.info()).num_pending;
    if (pending === 0) return ledger;
    const messages = await consumer.consume();
    for await (const message of messages) {
      const address = readStoredSubject(message.subject);
      if (typeof address !== "string" && address.kind === "answers")
        for (const answer of message.json<StoredBatch>().answers ?? []) {
          const key = `${address.round} ${answer.playerId}`;
          expect(ledger.answers.has(key), `${key} is in the log once`).toBe(false);
          ledger.answers.set(key, answer.submissionId);
          add(ledger.points, answer.playerId, answer.points ?? 0);
        }
      pending = message.info.pending;
      if (pending === 0) break;
    }
    messages.stop();
    return ledger;
  } finally {
    await nc.close();
  }
}

/** Of players, or of outsiders by their names. */
export async function readHistory(
  stage: Stage,
  sessionId: string,
  of: "players" | "outsiders" = "players",
): Promise<Ledger> {
  const sql = postgres(stage.stack.postgresUrl, { max: 1, onnotice: () => {} });
  try {
    const ledger: Ledger = { answers: new Map(), points: new Map() };
    const rows = await sql`
      SELECT round, player_id, submission_id, points FROM quiz.quiz_history
      WHERE session_id = ${sessionId}`;
    for (const row of rows) {
      const { id, outside } = readScorerKey(row.player_id);
      if (outside !== (of === "outsiders")) continue;
      ledger.answers.set(`${row.round} ${id}`, row.submission_id);
      add(ledger.points, id, row.points);
    }
    return ledger;
  } finally {
    await sql.end();
  }
}

export async function readBoard(stage: Stage, sessionId: string): Promise<Map<string, number>> {
  const points = new Map<string, number>();
  let pageToken = "";
  do {
    const page = await stage.leaderboard.getLeaderboard({ sessionId, pageSize: 1_000, pageToken });
    for (const row of page.standings) if (!row.outside) points.set(row.playerId, row.points);
    pageToken = page.nextPageToken;
  } while (pageToken);
  return points;
}

function add(points: Map<string, number>, playerId: string, more: number): void {
  points.set(playerId, (points.get(playerId) ?? 0) + more);
}
