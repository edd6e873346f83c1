/**
 * Ends sessions that have no record which the round clock could end: those that only outsiders score in,
 * and those whose creation was broken off. Once nothing has come for a while their end is stored in the log,
 * so that everybody who reads it agrees on what lies before. Safe to repeat; several writers may do it at once.
 */
import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { type Bus, isWrongLastSequence, openBucket } from "@fanfare/common/bus";
import {
  STREAMS,
  storedSessionSubjects,
  subjectForSessionCreated,
  subjectForSessionEnded,
} from "@fanfare/proto/addresses";
import { SessionEndedSchema } from "@fanfare/proto/events/v1/events";
import { Phase, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import type { KV } from "@nats-io/kv";
import type { HistoryMetrics } from "../history-metrics.js";
import { lastSequence } from "./lane-reader.js";
import type { OpenSession, OpenSessions } from "./open-sessions.js";

export class SilentSessions {
  #records: KV | undefined;

  constructor(
    private readonly parts: {
      bus: Bus;
      open: OpenSessions;
      metrics: HistoryMetrics;
      /** A session without a record ends after so long without an entry, in seconds. */
      silentS: number;
    },
  ) {}

  /** Looks at all sessions that are old enough. Rejects while NATS or PostgreSQL is away. */
  async turn(): Promise<void> {
    const { bus, open, silentS } = this.parts;
    this.#records ??= await openBucket(bus, "sessions");
    const info = await bus.jsm.streams.info(STREAMS.log);
    // On the log's own clock, as the times of its entries.
    const now = Date.parse((info as unknown as { ts: string }).ts);
    for await (const page of open.since(info.created, silentS))
      for (const session of page) await this.#look(session, now - silentS * 1_000);
  }

  async #look(session: OpenSession, silentSince: number): Promise<void> {
    const { bus, open } = this.parts;
    const { sessionId, logStart } = session;
    const newest = await lastSequence(bus, subjectForSessionCreated(sessionId));
    const filter = storedSessionSubjects(sessionId);
    const last = await bus.jsm.streams.getMessage(STREAMS.log, { last_by_subj: filter });
    if (newest > logStart || !last) return open.noteOvertaken(session);
    if (last.time.getTime() > silentSince || (await this.#hasRecord(session))) return;
    await this.#end(sessionId, last.seq);
  }

  async #hasRecord({ sessionId, logStart }: OpenSession): Promise<boolean> {
    const entry = await this.#records?.get(sessionId);
    if (entry?.operation !== "PUT") return false;
    const record = fromJsonString(SessionSchema, entry.string(), { ignoreUnknownFields: true });
    return Number(record.logStart) === logStart && record.phase !== Phase.ENDED;
  }

  /** Unless anything has come since: it may be the beginning of the next session. */
  async #end(sessionId: string, lastSubjectSequence: number): Promise<void> {
    const { bus, metrics } = this.parts;
    const expect = {
      lastSubjectSequence,
      lastSubjectSequenceSubject: storedSessionSubjects(sessionId),
    };
    const ended = toJsonString(SessionEndedSchema, create(SessionEndedSchema));
    try {
      await bus.js.publish(subjectForSessionEnded(sessionId), ended, { expect });
      metrics.silentEnded.inc();
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error;
    }
  }
}
