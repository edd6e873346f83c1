/**
 * Forgets ended sessions: once PostgreSQL has had the final standings for a while, the session's log
 * entries, record and frozen quiz go. Safe to repeat; several writers may do it at once.
 */

import { fromJsonString } from "@bufbuild/protobuf";
import { type Bus, openBucket, PURGE_MARKER_TTL } from "@fanfare/common/bus";
import type { Logger } from "@fanfare/common/log";
import { frozenQuizKey, STREAMS, storedSessionSubjects } from "@fanfare/proto/addresses";
import { Phase, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import type { KV } from "@nats-io/kv";
import type { HistoryMetrics } from "../history-metrics.js";
import { AT_ONCE, type EndedSession, type PurgeQueue } from "./purge-queue.js";

interface Buckets {
  sessions: KV;
  quizzes: KV;
}

export class LogPurge {
  #buckets: Buckets | undefined;

  constructor(
    private readonly parts: {
      bus: Bus;
      queue: PurgeQueue;
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
    const { bus, queue, metrics, log, purgeAfterS } = this.parts;
    const buckets = await this.#open();
    const { created, config, state } = await bus.jsm.streams.info(STREAMS.log);
    metrics.logHolds(state.bytes, config.max_bytes);
    const due = await queue.due(created, purgeAfterS);
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

  async #forget({ sessions, quizzes }: Buckets, ended: EndedSession): Promise<void> {
    const { bus, queue, metrics } = this.parts;
    const { sessionId, logStart, logEnd, isGone } = ended;
    if (isGone) return queue.notePurged(ended);
    await forgetRecord(sessions, ended);
    await quizzes.purge(frozenQuizKey(sessionId, logStart), { ttl: PURGE_MARKER_TTL });
    const filter = storedSessionSubjects(sessionId);
    await bus.jsm.streams.purge(STREAMS.log, { filter, seq: logEnd + 1 });
    await queue.notePurged(ended);
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
