/** Sessions of the history that have not ended, as PostgreSQL knows them. */
import type { OperationTimes } from "@fanfare/common/operation-times";
import type { Sql } from "@fanfare/common/postgres";
import { findPlaces } from "./log-places.js";

const AT_ONCE = 100;

export interface OpenSession {
  sessionId: string;
  /** Sequence of its first entry; 0 where nobody created it. */
  logStart: number;
  /** What PostgreSQL knows that by. */
  place: number;
}

export class OpenSessions {
  constructor(
    private readonly sql: Sql,
    private readonly times: OperationTimes,
  ) {}

  /** All of this log that began so long ago, oldest first, some at a time. */
  async *since(generation: string, ageS: number): AsyncIterable<OpenSession[]> {
    const places = await findPlaces(this.sql, generation);
    if (!places) return;
    const { first, end } = places;
    let [after, id] = ["-infinity", ""];
    for (;;) {
      const page = () => this.sql<{ sessionId: string; place: string; createdAt: string }[]>`
        SELECT session_id AS "sessionId", log_start AS place, created_at::text AS "createdAt"
        FROM quiz.sessions
        WHERE ended_at IS NULL AND created_at < now() - make_interval(secs => ${ageS})
          AND (created_at, session_id) > (${after}::text::timestamptz, ${id})
          AND log_start >= ${first} AND log_start < ${end}
        ORDER BY created_at, session_id LIMIT ${AT_ONCE}`;
      const rows = await this.times.time("open sessions", page);
      const last = rows.at(-1);
      if (!last) return;
      [after, id] = [last.createdAt, last.sessionId];
      yield rows.map(({ sessionId, place }) => {
        return { sessionId, place: Number(place), logStart: Number(place) - first };
      });
    }
  }

  /** Notes that a session is over which the log says nothing of any more: another one has its id. */
  async noteOvertaken({ sessionId, place }: OpenSession): Promise<void> {
    const note = () => this.sql`
      UPDATE quiz.sessions SET ended_at = now()
      WHERE session_id = ${sessionId} AND log_start = ${place} AND ended_at IS NULL`;
    await this.times.time("overtaken", note);
  }
}
