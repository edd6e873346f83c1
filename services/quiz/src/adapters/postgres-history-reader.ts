/** Reads what the history writer has stored. */
import { reaching } from "@fanfare/common/errors";
import type { OperationTimes } from "@fanfare/common/operation-times";
import type { Sql } from "@fanfare/common/postgres";
import { readScorerKey } from "@fanfare/proto/addresses";
import type { Row } from "postgres";
import type {
  HistoryFit,
  HistoryReader,
  ListedSession,
  StoredScore,
  StoredSessionHead,
} from "../domain/ports.js";
import { PLACES_PER_LOG, sequenceOf } from "./log-places.js";

const ROWS_AT_ONCE = 500;

export class PostgresHistoryReader implements HistoryReader {
  constructor(
    private readonly sql: Sql,
    private readonly times: OperationTimes,
  ) {}

  async findSession(
    sessionId: string,
    { place, logStart, host }: HistoryFit = {},
  ): Promise<StoredSessionHead | undefined> {
    const { sql } = this;
    const newest = () => sql`
      SELECT log_start::text AS place, host FROM quiz.sessions
      WHERE session_id = ${sessionId}
      ${place === undefined ? sql`` : sql`AND log_start = ${place}`}
      ${logStart === undefined ? sql`` : sql`AND log_start % ${PLACES_PER_LOG} = ${String(logStart)}`}
      ${host === undefined ? sql`` : sql`AND host = ${host}`}
      ORDER BY log_start DESC LIMIT 1`;
    const [row] = await reaching("PostgreSQL", this.times.time("find session", newest));
    if (!row) return undefined;
    const found: { place: string; host: string } = { place: row.place, host: row.host };
    return { ...found, logStart: BigInt(sequenceOf(Number(found.place))) };
  }

  /** Sessions that nobody created are left out. */
  async listSessions(of: Parameters<HistoryReader["listSessions"]>[0]): Promise<ListedSession[]> {
    const { sql } = this;
    const { sessionId, host, before, count } = of;
    const list = () => sql<ListedSession[]>`
      SELECT session_id AS "sessionId", log_start::text AS place, title, host, rounds,
             created_at AS "createdAt", ended_at AS "endedAt"
      FROM quiz.sessions
      WHERE created
      ${sessionId === undefined ? sql`` : sql`AND session_id = ${sessionId}`}
      ${host === undefined ? sql`` : sql`AND host = ${host}`}
      ${before === undefined ? sql`` : sql`AND log_start < ${before}`}
      ORDER BY log_start DESC LIMIT ${count}`;
    return reaching("PostgreSQL", this.times.time("list sessions", list));
  }

  /**
   * By round and player, some hundred at a time, in the order of the primary key: each page goes on where
   * the one before ended, so nothing is sorted, and no transaction stays open while the reader is slow.
   */
  async *rows(sessionId: string, place: string): AsyncIterable<StoredScore[]> {
    let [round, player] = [-1, ""];
    const page = () => this.sql`
      SELECT h.round, h.player_id, coalesce(p.nickname, '') AS nickname, h.points, h.correct,
             h.choices, h.elapsed_ms, h.submission_id, extract(epoch FROM h.accepted_at) * 1000 AS accepted_at_ms
      FROM quiz.quiz_history h
      LEFT JOIN quiz.players p USING (session_id, log_start, player_id)
      WHERE h.session_id = ${sessionId} AND h.log_start = ${place}
        AND (h.round, h.player_id) > (${round}, ${player})
      ORDER BY h.round, h.player_id LIMIT ${ROWS_AT_ONCE}`;
    for (;;) {
      const rows = await reaching("PostgreSQL", this.times.time("export rows", page));
      const last = rows.at(-1);
      if (!last) return;
      [round, player] = [last.round, last.player_id];
      yield rows.map(toScore);
    }
  }
}

function toScore(row: Row): StoredScore {
  const { id: playerId, outside } = readScorerKey(row.player_id);
  return {
    round: row.round,
    playerId,
    outside,
    nickname: row.nickname || playerId,
    points: row.points,
    ...(row.correct === null ? {} : { correct: row.correct }),
    choices: row.choices,
    elapsedMs: row.elapsed_ms,
    submissionId: row.submission_id,
    acceptedAtMs: Number(row.accepted_at_ms),
  };
}
