/** Reads what the history writer has stored. */
import { reaching } from "@fanfare/common/errors";
import type { OperationTimes } from "@fanfare/common/operation-times";
import type { Sql } from "@fanfare/common/postgres";
import { readScorerKey } from "@fanfare/proto/addresses";
import type { Row } from "postgres";
import type { HistoryReader, StoredScore, StoredSessionHead } from "../domain/ports.js";
import { sequenceOf } from "./log-places.js";

const ROWS_AT_ONCE = 500;

export class PostgresHistoryReader implements HistoryReader {
  constructor(
    private readonly sql: Sql,
    private readonly times: OperationTimes,
  ) {}

  /** The last session of this id. Throws UNAVAILABLE while PostgreSQL can't be reached. */
  async findSession(sessionId: string): Promise<StoredSessionHead | undefined> {
    const newest = () => this.sql`
      SELECT log_start::text AS place, host FROM quiz.sessions
      WHERE session_id = ${sessionId} ORDER BY log_start DESC LIMIT 1`;
    const [row] = await reaching("PostgreSQL", this.times.time("find session", newest));
    if (!row) return undefined;
    const { place, host } = row;
    return { place, logStart: BigInt(sequenceOf(Number(place))), host };
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
