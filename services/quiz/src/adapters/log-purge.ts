/**
 * Forgets ended sessions: once PostgreSQL has had the final standings for a while, the session's log
 * entries, record and frozen quiz go. Safe to repeat; several writers may do it at once.
 */

import { fromJsonString } from "@bufbuild/protobuf";
import { type Bus, openBucket, PURGE_MARKER_TTL } from "@fanfare/common/bus";
import { type Lifecycle, pause } from "@fanfare/common/lifecycle";
import type { Sql } from "@fanfare/common/postgres";
import { frozenQuizKey, STREAMS, storedSessionSubjects } from "@fanfare/proto/addresses";
import { Phase, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import type { KV } from "@nats-io/kv";
import type { HistoryMetrics } from "../history-metrics.js";

const LOOK_EVERY_MS = 5_000;
const AT_ONCE = 50;

export async function purgeEndedSessions(
  parts: { bus: Bus; sql: Sql; metrics: HistoryMetrics; purgeAfterS: number },
  lifecycle: Lifecycle,
): Promise<void> {
  const { bus, sql, metrics, purgeAfterS } = parts;
  const sessions = await openBucket(bus, "sessions");
  const quizzes = await openBucket(bus, "frozenQuizzes");
  while (!lifecycle.signal.aborted) {
    await pause(LOOK_EVERY_MS, lifecycle.signal);
    try {
      const due = await sql`
        SELECT session_id, log_start, log_end FROM quiz.sessions
        WHERE finalized_at < now() - make_interval(secs => ${purgeAfterS}) AND purged_at IS NULL
        ORDER BY finalized_at LIMIT ${AT_ONCE}`;
      for (const row of due) {
        const key = { sessionId: row.session_id as string, logStart: BigInt(row.log_start) };
        await forgetRecord(sessions, key);
        await quizzes.purge(frozenQuizKey(key.sessionId, key.logStart), { ttl: PURGE_MARKER_TTL });
        const filter = storedSessionSubjects(key.sessionId);
        await bus.jsm.streams.purge(STREAMS.log, { filter, seq: Number(row.log_end) + 1 });
        await sql`
          UPDATE quiz.sessions SET purged_at = now()
          WHERE session_id = ${key.sessionId} AND log_start = ${row.log_start}`;
        metrics.purged.inc();
      }
    } catch (err) {
      if (!lifecycle.signal.aborted) lifecycle.log.warn({ err }, "purge put off");
    }
  }
}

/** Only the record of this very session: the id may be in use again. */
async function forgetRecord(
  sessions: KV,
  { sessionId, logStart }: { sessionId: string; logStart: bigint },
): Promise<void> {
  const entry = await sessions.get(sessionId);
  if (entry?.operation !== "PUT") return;
  const session = fromJsonString(SessionSchema, entry.string(), { ignoreUnknownFields: true });
  if (session.logStart !== logStart || session.phase !== Phase.ENDED) return;
  await sessions.purge(sessionId, { previousSeq: entry.revision, ttl: PURGE_MARKER_TTL });
}
