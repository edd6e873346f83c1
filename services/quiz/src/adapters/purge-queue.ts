/** Ended sessions whose log entries may go, as PostgreSQL knows them. */
import type { OperationTimes } from "@fanfare/common/operation-times";
import type { Sql } from "@fanfare/common/postgres";
import { findPlaces } from "./log-places.js";

/** Sessions that are given out at a time. */
export const AT_ONCE = 50;

export interface EndedSession {
  sessionId: string;
  /** Sequences of its first and last entry. */
  logStart: bigint;
  logEnd: number;
  /** What PostgreSQL knows them by. */
  place: number;
  endPlace: number;
  /** Of an earlier log, in a store that was made anew since: its entries are gone already. */
  isGone: boolean;
}

export class PurgeQueue {
  constructor(
    private readonly sql: Sql,
    private readonly times: OperationTimes,
  ) {}

  /** Those that were finalized first, at least `afterS` seconds ago, of this log and of those before it. */
  async due(generation: string, afterS: number): Promise<EndedSession[]> {
    const places = await findPlaces(this.sql, generation);
    if (!places) return [];
    const find = () => this.sql<{ sessionId: string; start: string; end: string }[]>`
      SELECT session_id AS "sessionId", log_start AS start, log_end AS end FROM quiz.sessions
      WHERE finalized_at < now() - make_interval(secs => ${afterS}) AND purged_at IS NULL
        AND log_start < ${places.end}
      ORDER BY finalized_at LIMIT ${AT_ONCE}`;
    const rows = await this.times.time("due sessions", find);
    return rows.map(({ sessionId, start, end }) => ({
      sessionId,
      logStart: BigInt(Math.max(0, Number(start) - places.first)),
      logEnd: Number(end) - places.first,
      place: Number(start),
      endPlace: Number(end),
      isGone: Number(start) < places.first,
    }));
  }

  /** Unless its end has moved meanwhile, as something came behind it: then it is purged once more. */
  async notePurged({ sessionId, place, endPlace }: EndedSession): Promise<void> {
    const note = () => this.sql`
      UPDATE quiz.sessions SET purged_at = now()
      WHERE session_id = ${sessionId} AND log_start = ${place} AND log_end = ${endPlace}`;
    await this.times.time("purge", note);
  }
}
