/**
 * Who is there, as the gateways say it: whether everybody who is connected to a session has answered
 * its open round. A gateway that was heard of and is silent, that went away a moment ago, or of which
 * something was missed makes the answer "not sure", which is no. Pure; times are of one monotonic
 * clock, in ms.
 */
import type { Attendance, RoomAttendance } from "@fanfare/proto/events/v1/events";
import type { Session } from "@fanfare/proto/quiz/v1/session";

/** A gateway speaks every 250 ms; one that has not for so long may hold anything. */
const SILENT_AFTER_MS = 1_500;
/** Its players come back through others: rounds that open within this time wait for them. */
const SILENT_COUNTS_MS = 30_000;
/** The same after a farewell, which comes when the last player has gone. */
const LEFT_COUNTS_MS = 10_000;
/** A gateway that is gone blocks no round that is still open so long after. */
const FORGET_AFTER_MS = 3_600_000;

interface Heard {
  at: number;
  sequence: number;
  /** What it has said is all that it has. */
  isWhole: boolean;
  hasLeft: boolean;
  rooms: Map<string, RoomAttendance>;
}

export class AttendanceBook {
  readonly #gateways = new Map<string, Heard>();
  #listeningSince: number;

  constructor(now: number) {
    this.#listeningSince = now;
  }

  /** The connection was away: what was said meanwhile is not known. */
  listenAnew(now: number): void {
    this.#listeningSince = now;
  }

  /** Takes a gateway's message; returns the sessions of which it says that all have answered. */
  hear(message: Attendance, now: number): string[] {
    const { gateway, sequence, whole, leaving } = message;
    const before = this.#gateways.get(gateway);
    const follows = before?.isWhole === true && sequence === before.sequence + 1;
    const isWhole = whole || follows;
    const rooms = whole ? new Map<string, RoomAttendance>() : (before?.rooms ?? new Map());
    for (const room of message.rooms)
      if (room.present) rooms.set(room.sessionId, room);
      else rooms.delete(room.sessionId);
    this.#gateways.set(gateway, { at: now, sequence, isWhole, hasLeft: leaving, rooms });
    return message.rooms.filter((room) => room.allAnswered).map(({ sessionId }) => sessionId);
  }

  /**
   * Whether everybody who is there has answered the session's round, which opened `openForMs` ago, and
   * every gateway has spoken after `since`. Where nobody is there nobody has answered.
   */
  allAnswered(
    { sessionId, logStart, round }: Session,
    openForMs: number,
    { since, now }: { since: number; now: number },
  ): boolean {
    if (now - this.#listeningSince < SILENT_AFTER_MS) return false;
    let isSomebodyThere = false;
    for (const heard of this.#gateways.values()) {
      if (heard.hasLeft || now - heard.at > SILENT_AFTER_MS) {
        const countsMs = heard.hasLeft ? LEFT_COUNTS_MS : SILENT_COUNTS_MS;
        if (now - openForMs < heard.at + countsMs) return false;
        continue;
      }
      if (!heard.isWhole || heard.at <= since) return false;
      const room = heard.rooms.get(sessionId);
      if (!room) continue;
      if (room.logStart !== logStart || room.round !== round || !room.allAnswered) return false;
      isSomebodyThere = true;
    }
    return isSomebodyThere;
  }

  /** Forgets who is long gone, and what those who are gone said. */
  sweep(now: number): void {
    for (const [gateway, heard] of this.#gateways) {
      if (now - heard.at > FORGET_AFTER_MS) this.#gateways.delete(gateway);
      else if (now - heard.at > SILENT_AFTER_MS) {
        heard.rooms.clear();
        heard.isWhole = false;
      }
    }
  }
}
