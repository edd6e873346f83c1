/**
 * Forgets ended sessions: once PostgreSQL has had the final standings for a while, the session's log
 * entries, record and frozen quiz go. Safe to repeat; several writers may do it at once.
 */

import { fromJsonString } from "@bufbuild/protobuf";
import { type Bus, openBucket, PURGE_MARKER_TTL } from "@fanfare/common/bus";
import type { Logger } from "@fanfare/common/log";
import type { Sql } from "@fanfare/common/postgres";
import { frozenQuizKey, STREAMS, storedSessionSubjects } from "@fanfare/proto/addresses";
import { Phase, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import type { KV } from "@nats-io/kv";
import type { HistoryMetrics } from "../history-metrics.js";
import { findPlaces } from "./log-places.js";

const AT_ONCE = 50;

interface EndedSession {
  sessionId: string;
  /** Sequences of its first and last entry. */
  logStart: bigint;
  logEnd: number;
  /** What PostgreSQL knows the first by. */
  place: number;
}

interface Buckets {
  sessions: KV;
  quizzes: KV;
}

export class LogPurge {
  #buckets: Buckets | undefined;

  constructor(
    private readonly parts: {
      bus: Bus;
      sql: Sql;
      metrics: HistoryMetrics;
      log: Logger;
      /** After the final standings, in seconds. */
      purgeAfterS: number;
    },
  ) {}

  /**
   * Forgets what is due, some sessions a turn; resolves to 0, the time to wait, where there may be more.
   * Rejects while NATS or PostgreSQL is away. One session that can't be forgotten holds up no other.
   */
  async turn(): Promise<number | undefined> {
    const { bus, metrics, log } = this.parts;
    const buckets = await this.#open();
    const { created, config, state } = await bus.jsm.streams.info(STREAMS.log);
    metrics.logHolds(state.bytes, config.max_bytes);
    const due = await metrics.postgres.time("due sessions", () => this.#due(created));
    let fault: unknown;
    let forgotten = 0;
    for (const ended of due) {
      if (fault && !bus.connected()) break;
      try {
        await this.#forget(buckets, ended);
        forgotten++;
      } catch (err) {
        log.debug({ err, sessionId: ended.sessionId }, "session not purged");
        fault ??= err;
      }
    }
    if (fault) throw fault;
    return forgotten === AT_ONCE ? 0 : undefined;
  }

  async #open(): Promise<Buckets> {
    const { bus } = this.parts;
    this.#buckets ??= {
      sessions: await openBucket(bus, "sessions"),
      quizzes: await openBucket(bus, "frozenQuizzes"),
    };
    return this.#buckets;
  }

  /** Of this log only: what an earlier one held, in a store that was made anew since, is gone. */
  async #due(generation: string): Promise<EndedSession[]> {
    const { sql, purgeAfterS } = this.parts;
    const places = await findPlaces(sql, generation);
    if (!places) return [];
    const rows = await sql<{ sessionId: string; start: string; end: string }[]>`
      SELECT session_id AS "sessionId", log_start AS start, log_end AS end FROM quiz.sessions
      WHERE finalized_at < now() - make_interval(secs => ${purgeAfterS}) AND purged_at IS NULL
        AND log_start >= ${places.first} AND log_start < ${places.end}
      ORDER BY finalized_at LIMIT ${AT_ONCE}`;
    return rows.map(({ sessionId, start, end }) => ({
      sessionId,
      logStart: BigInt(Number(start) - places.first),
      logEnd: Number(end) - places.first,
      place: Number(start),
    }));
  }

  async #forget({ sessions, quizzes }: Buckets, ended: EndedSession): Promise<void> {
    const { bus, sql, metrics } = this.parts;
    const { sessionId, logStart, logEnd, place } = ended;
    await forgetRecord(sessions, ended);
    await quizzes.purge(frozenQuizKey(sessionId, logStart), { ttl: PURGE_MARKER_TTL });
    const filter = storedSessionSubjects(sessionId);
    await bus.jsm.streams.purge(STREAMS.log, { filter, seq: logEnd + 1 });
    const note = () => sql`
      UPDATE quiz.sessions SET purged_at = now()
      WHERE session_id = ${sessionId} AND log_start = ${place}`;
    await metrics.postgres.time("purge", note);
    metrics.purged.inc();
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
