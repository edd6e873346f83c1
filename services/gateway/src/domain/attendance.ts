/**
 * What this gateway says of its players, so that a question closes when everybody has answered: which
 * rooms hold players, and whether all of these have. It says what has changed, and now and then all of
 * it, for those who missed something. Pure; times are of one monotonic clock, in ms.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AttendanceSchema, RoomAttendanceSchema } from "@fanfare/proto/events/v1/events";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import type { Client } from "./client.js";

/** A phone that changes the network, or a page that is loaded again, is back by then. */
const AWAY_COUNTS_MS = 5_000;
/** Every so many messages says all. */
const WHOLE_EVERY = 8;
const NOBODY: readonly Client[] = [];

/** Whether the log is known to hold an answer of this player in the round. */
export function hasAnswered(client: Client, round: number): boolean {
  return client.verdict?.round === round || client.answeredRound === round;
}

/** Players of a room who lost their connection and may be on their way back. */
export class AwayPlayers {
  readonly #away = new Map<string, { since: number; client: Client }>();

  left(client: Client, now: number): void {
    this.#away.set(client.playerId, { since: now, client });
  }

  /** The player is in again, here or through a newer connection elsewhere, or was removed. */
  back(playerId: string, connection?: string): void {
    const away = this.#away.get(playerId);
    if (away && (connection === undefined || away.client.connection < connection))
      this.#away.delete(playerId);
  }

  clear(): void {
    this.#away.clear();
  }

  /** Those who still count. */
  clients(now: number): readonly Client[] {
    if (this.#away.size === 0) return NOBODY;
    for (const [playerId, { since }] of this.#away) {
      // In the order of leaving.
      if (now - since < AWAY_COUNTS_MS) break;
      this.#away.delete(playerId);
    }
    return [...this.#away.values()].map(({ client }) => client);
  }
}

/** As far as this needs one. */
export interface AttendedRoom {
  readonly sessionId: string;
  readonly session: Session | undefined;
  readonly players: ReadonlyMap<string, Client>;
  readonly away: AwayPlayers;
}

type RoomSays = Required<Pick<MessageInitShape<typeof RoomAttendanceSchema>, "round">> & {
  logStart: bigint;
  allAnswered: boolean;
};

export class AttendanceSpeaker {
  #sequence = 0;
  /** Says all the next time. */
  #isWholeDue = true;
  readonly #said = new Map<string, RoomSays>();

  /** `gateway`: a name that no other process and no later start has. */
  constructor(private readonly gateway: string) {}

  /** Something that was said may not have been heard. */
  sayAll(): void {
    this.#isWholeDue = true;
  }

  next(rooms: Iterable<AttendedRoom>, now: number): MessageInitShape<typeof AttendanceSchema> {
    const whole = this.#isWholeDue || this.#sequence % WHOLE_EVERY === 0;
    this.#isWholeDue = false;
    const changed: MessageInitShape<typeof RoomAttendanceSchema>[] = [];
    const there = new Set<string>();
    for (const room of rooms) {
      const { sessionId } = room;
      const says = attendanceOf(room, now);
      if (!says) continue;
      there.add(sessionId);
      if (!whole && isSame(this.#said.get(sessionId), says)) continue;
      this.#said.set(sessionId, says);
      changed.push({ sessionId, present: true, ...says });
    }
    for (const sessionId of this.#said.keys()) {
      if (there.has(sessionId)) continue;
      this.#said.delete(sessionId);
      if (!whole) changed.push({ sessionId, present: false });
    }
    return { gateway: this.gateway, sequence: ++this.#sequence, whole, rooms: changed };
  }

  farewell(): MessageInitShape<typeof AttendanceSchema> {
    return { gateway: this.gateway, sequence: ++this.#sequence, whole: true, leaving: true };
  }
}

/** Undefined where nobody is there to wait for, or the session waits for nobody. */
function attendanceOf(room: AttendedRoom, now: number): RoomSays | undefined {
  const { session } = room;
  if (!session?.options?.closeWhenAllAnswered || session.phase === Phase.ENDED) return undefined;
  const away = room.away.clients(now);
  if (room.players.size + away.length === 0) return undefined;
  const { logStart } = session;
  if (session.phase !== Phase.OPEN) return { logStart, round: 0, allAnswered: false };
  const { round } = session;
  const isWaiting = (client: Client) => !hasAnswered(client, round);
  const allAnswered = !away.some(isWaiting) && !some(room.players.values(), isWaiting);
  return { logStart, round, allAnswered };
}

/** Four times a second, of thousands: nothing is copied, and the first one decides. */
function some<T>(values: Iterable<T>, test: (value: T) => boolean): boolean {
  for (const value of values) if (test(value)) return true;
  return false;
}

function isSame(a: RoomSays | undefined, b: RoomSays): boolean {
  return a?.logStart === b.logStart && a.round === b.round && a.allAnswered === b.allAnswered;
}
