/** The logs of the sessions that this pod has to do with, made when first asked for. */
import type { Bus } from "@fanfare/common/bus";
import { ALL_REMOVALS, subjectForSessionCreated } from "@fanfare/proto/addresses";
import {
  PlayerRemovedSchema,
  type SessionCreated,
  SessionCreatedSchema,
} from "@fanfare/proto/events/v1/events";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import type { SessionLogs } from "../domain/ports.js";
import { decodeJson, encodeJson } from "./entry-codecs.js";
import type { LaneCounters } from "./fenced-lane.js";
import { JetStreamSessionLog } from "./session-log.js";

export class JetStreamSessionLogs implements SessionLogs {
  readonly #logs = new Map<string, JetStreamSessionLog>();

  constructor(
    private readonly bus: Bus,
    private readonly counters: LaneCounters,
  ) {
    bus.listen(ALL_REMOVALS, (message) => {
      const removed = decodeJson(PlayerRemovedSchema, message.data);
      const log = this.#logs.get(message.subject.split(".")[1] ?? "");
      if (removed && log) log.noteRemoval(removed.playerId, removed.status);
    });
  }

  of(session: Session): JetStreamSessionLog {
    const known = this.#logs.get(session.sessionId);
    if (known?.logStart === session.logStart) return known;
    const made = new JetStreamSessionLog(this.bus, session, this.counters);
    this.#logs.set(session.sessionId, made);
    return made;
  }

  async create(sessionId: string, created: SessionCreated): Promise<bigint> {
    const ack = await this.bus.js.publish(
      subjectForSessionCreated(sessionId),
      encodeJson(SessionCreatedSchema, created),
    );
    return BigInt(ack.seq);
  }

  forget(session: Session): void {
    if (this.#logs.get(session.sessionId)?.logStart === session.logStart)
      this.#logs.delete(session.sessionId);
  }
}
