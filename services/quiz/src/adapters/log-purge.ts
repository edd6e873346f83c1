/**
 * Forgets ended sessions: once PostgreSQL has had the final standings for a while, the session's log
 * entries, record, frozen quiz and last board in the stream go. Safe to repeat; several writers may do it at once.
 */

import { fromJsonString } from "@bufbuild/protobuf";
import { type Bus, openBucket, PURGE_MARKER_TTL } from "@fanfare/common/bus";
import {
  frozenQuizKey,
  STREAMS,
  storedSessionSubjects,
  subjectForLeaderboard,
} from "@fanfare/proto/addresses";
import { LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
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
      /** After the final standings, in seconds. */
      purgeAfterS: number;
    },
  ) {}

  /**
   * Forgets what is due, some sessions a turn; resolves to 0, the time to wait, where there may be more.
   * Rejects while NATS or PostgreSQL is away. One session that can't be forgotten holds up no other.
   */
  async turn(): Promise<number | undefined> {
    const { bus, queue, metrics, purgeAfterS } = this.parts;
    const buckets = await this.#open();
    const { created, config, state } = await bus.jsm.streams.info(STREAMS.log);
    metrics.logHolds(state.bytes, config.max_bytes);
    const due = await queue.due(created, purgeAfterS);
    const done = await Promise.allSettled(due.map((each) => this.#forget(buckets, each)));
    const failed = done.find((each) => each.status === "rejected");
    if (failed) throw failed.reason;
    return due.length === AT_ONCE ? 0 : undefined;
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
    await forgetBoard(bus, sessionId);
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

/** Only the last board of an ended session: the id may be in use again. The leaderboard has it still. */
async function forgetBoard({ jsm }: Bus, sessionId: string): Promise<void> {
  const filter = subjectForLeaderboard(sessionId);
  const last = await jsm.streams.getMessage(STREAMS.leaderboard, { last_by_subj: filter });
  if (last && isEnded(last.string()))
    await jsm.streams.purge(STREAMS.leaderboard, { filter, seq: last.seq + 1 });
}

/** False for what somebody else published there. */
function isEnded(json: string): boolean {
  try {
    return fromJsonString(LeaderboardChangedSchema, json, { ignoreUnknownFields: true }).ended;
  } catch {
    return false;
  }
}
