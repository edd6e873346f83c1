/**
 * Knows sessions that are over although Redis has no board of them (any more): by the log, which keeps a
 * session for a day after its end, and by PostgreSQL, which keeps it for good.
 */
import type { Bus } from "@fanfare/common/bus";
import { within } from "@fanfare/common/lifecycle";
import type { Logger } from "@fanfare/common/log";
import type { OperationTimes } from "@fanfare/common/operation-times";
import type { Sql } from "@fanfare/common/postgres";
import {
  STREAMS,
  storedSubject,
  subjectForSessionCreated,
  subjectForSessionEnded,
} from "@fanfare/proto/addresses";
import { fromPostgres } from "./postgres-reads.js";

/** Boards of a partition wait for the answer; without one the session is taken for a new one. */
const POSTGRES_LIMIT_MS = 1_000;

export interface EndedSessions {
  /**
   * Which of these sessions were created and had ended before a place in the log. Ids are few. Rejects
   * while the log can't be read. While PostgreSQL can't be, only what the log still has is known.
   */
  among(sessionIds: readonly string[], before: number): Promise<ReadonlySet<string>>;
}

export class LoggedEnds implements EndedSessions {
  constructor(
    private readonly parts: {
      bus: Pick<Bus, "jsm">;
      sql: Sql;
      times: OperationTimes;
      log: Logger;
    },
  ) {}

  async among(sessionIds: readonly string[], before: number): Promise<ReadonlySet<string>> {
    const inLog = await Promise.all(sessionIds.map((id) => this.#inLog(id, before)));
    const over = sessionIds.filter((_, i) => inLog[i] === "over");
    const unknown = sessionIds.filter((_, i) => inLog[i] === "unknown");
    return new Set([...over, ...(await this.#inPostgres(unknown))]);
  }

  async #inLog(sessionId: string, before: number): Promise<"over" | "running" | "unknown"> {
    const [begun, ended] = await Promise.all([
      this.#last(subjectForSessionCreated(sessionId)),
      this.#last(subjectForSessionEnded(sessionId)),
    ]);
    if (begun > 0 && begun > ended) return "running";
    // One that nobody created takes scores after its end: they are of another session.
    if (begun === 0 || ended === 0) return "unknown";
    return ended < before ? "over" : "running";
  }

  /** Position of the last entry; 0 for none. */
  async #last(published: string): Promise<number> {
    const last_by_subj = storedSubject(published);
    const entry = await this.parts.bus.jsm.streams.getMessage(STREAMS.log, { last_by_subj });
    return entry?.seq ?? 0;
  }

  async #inPostgres(sessionIds: readonly string[]): Promise<string[]> {
    if (sessionIds.length === 0) return [];
    const { sql, times, log } = this.parts;
    // Of several that had this id the newest counts, as for the history writer.
    const newest = () => sql<{ id: string; over: boolean }[]>`
      SELECT DISTINCT ON (session_id) session_id AS id, created AND ended_at IS NOT NULL AS over
        FROM quiz.sessions
       WHERE session_id = ANY(${[...sessionIds]})
       ORDER BY session_id, log_start DESC`;
    try {
      const read = fromPostgres([], async () => [...(await times.time("ended sessions", newest))]);
      const rows = await within(POSTGRES_LIMIT_MS, read);
      return rows.filter(({ over }) => over).map(({ id }) => id);
    } catch (err) {
      log.warn({ err }, "whether sessions have ended is not known: taken for new ones");
      return [];
    }
  }
}
