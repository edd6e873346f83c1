/** The logs of the sessions that this pod has to do with, made when first asked for. */
import { type Bus, isWrongLastSequence } from "@fanfare/common/bus";
import { unavailable } from "@fanfare/common/errors";
import { ALL_REMOVALS, subjectForSessionCreated } from "@fanfare/proto/addresses";
import {
  PlayerRemovedSchema,
  type SessionCreated,
  SessionCreatedSchema,
} from "@fanfare/proto/events/v1/events";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import type { SessionLogs } from "../domain/ports.js";
import { isOver } from "../domain/session.js";
import { decodeJson, encodeJson } from "./entry-codecs.js";
import type { LaneCounters } from "./fenced-lane.js";
import { lastSequence } from "./lane-reader.js";
import { type PastCounters, PastLanes, type PastLimits } from "./past-lanes.js";
import { type FencedAnswers, JetStreamSessionLog } from "./session-log.js";

/** A log is kept this long after the session's end, for answers that are asked for again. */
const FORGET_AFTER_MS = 60_000;

export class JetStreamSessionLogs implements SessionLogs {
  readonly #logs = new Map<string, JetStreamSessionLog>();
  readonly #forgetting = new WeakSet<JetStreamSessionLog>();
  readonly #past: PastLanes<FencedAnswers>;

  constructor(
    private readonly bus: Bus,
    private readonly counters: LaneCounters & PastCounters,
    past: PastLimits,
  ) {
    this.#past = new PastLanes(past, counters);
    bus.listen(ALL_REMOVALS, (message) => {
      const removed = decodeJson(PlayerRemovedSchema, message.data);
      const log = this.#logs.get(message.subject.split(".")[1] ?? "");
      if (removed && log) log.noteRemoval(removed.playerId, removed.status);
    });
  }

  of(session: Session): JetStreamSessionLog {
    const log =
      this.known(session) ?? new JetStreamSessionLog(this.bus, session, this.counters, this.#past);
    this.#logs.set(session.sessionId, log);
    if (isOver(session) && !this.#forgetting.has(log)) {
      this.#forgetting.add(log);
      setTimeout(() => this.#forget(session), FORGET_AFTER_MS).unref();
    }
    return log;
  }

  known({ sessionId, logStart }: Session): JetStreamSessionLog | undefined {
    const log = this.#logs.get(sessionId);
    return log?.logStart === logStart ? log : undefined;
  }

  lastStart(sessionId: string): Promise<number> {
    return lastSequence(this.bus, subjectForSessionCreated(sessionId));
  }

  async create(
    sessionId: string,
    created: SessionCreated,
    lastStart: number,
  ): Promise<bigint | undefined> {
    try {
      const ack = await this.bus.js.publish(
        subjectForSessionCreated(sessionId),
        encodeJson(SessionCreatedSchema, created),
        { expect: { lastSubjectSequence: lastStart } },
      );
      return BigInt(ack.seq);
    } catch (error) {
      if (isWrongLastSequence(error)) return undefined;
      throw unavailable("the log", error);
    }
  }

  #forget(session: Session): void {
    if (this.known(session)) this.#logs.delete(session.sessionId);
  }
}
