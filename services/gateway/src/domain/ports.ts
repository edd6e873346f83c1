/** What a room needs from outside, by the names of the domain. */
import type { Span } from "@fanfare/common/tracing";
import type { LeaderboardChanged, PlayerRemoved } from "@fanfare/proto/events/v1/events";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import type { Broadcaster } from "./announcer.js";
import type { Client } from "./client.js";
import type { FrameEncoder } from "./frame-codec.js";
import type { Room } from "./room.js";

/** Milliseconds since 1970 on the clock that all pods share. */
export interface Clock {
  now(): number;
}

/** Hears of one session. Everything may come twice, late or out of order. */
export interface RoomListener {
  /** The session's record at a revision; undefined where it was deleted, or never was (revision 0). */
  onSession(session: Session | undefined, revision: number): void;
  /** `span`: where a change in it is traced. */
  onBoard(board: LeaderboardChanged, span?: Span): void;
  onRemoved(removed: PlayerRemoved): void;
  /** A player has come in through this connection, here or at another gateway. */
  onTakeover(playerId: string, connection: string): void;
}

/** The news of one session, from the moment when it was opened. */
export interface RoomSource {
  /** Reads record and board again and tells the listener. Fails with UNAVAILABLE. Safe to repeat. */
  read(): Promise<void>;
  close(): void;
}

export interface RoomFeed {
  open(sessionId: string, listener: RoomListener): RoomSource;
  /** Tells all gateways about a player's newest connection, with others of this turn. May get lost. */
  announce(sessionId: string, playerId: string, connection: string): void;
}

/** What a room cannot do alone. Called in the room's own turn; must not throw. */
export interface RoomDuties {
  /** A round is closed: each player has to be told what it brought. */
  resultsDue(room: Room, round: number): void;
  /** Players came or went, and a host is here. */
  namesDue(room: Room): void;
  /**
   * New rows go out; the log stored their oldest change at this time, in ms since 1970. `span`: where a
   * change of them is traced.
   */
  boardShown(changedSinceMs: number, span: Span | undefined): void;
  /** A player who is here is thought to be elsewhere, or may be: all gateways are told of the connection. */
  seatHeld(room: Room, client: Client): void;
  /** The board moved, and somebody watches more rows than a snapshot holds. */
  wideRowsDue(room: Room): void;
}

/** What every room of a gateway is made with. */
export interface RoomParts {
  out: Broadcaster;
  encoder: FrameEncoder;
  duties: RoomDuties;
  clock: Clock;
  tickMs: number;
}
