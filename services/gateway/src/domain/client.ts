/**
 * One connected client: what the gateway knows of it, and what can be done with its socket. Kept
 * small, as there are thousands: a rate limit is one number, and what few need is set on demand.
 */
import type { CloseCode } from "../close-codes.js";
import type { Frame } from "./frame-codec.js";
import type { Room } from "./room.js";

export const CLIENT_ROLES = ["new", "player", "host", "admin", "spectator", "liveScore"] as const;
export type ClientRole = (typeof CLIENT_ROLES)[number];

/** An answer on its way, or one that was not accepted: sent again it keeps its time. */
export interface Attempt {
  round: number;
  submissionId: string;
  choices: string;
  elapsedMs: number;
}

/** What an accepted answer brought. Never shown before the reveal. */
export interface Verdict {
  round: number;
  submissionId: string;
  points: number;
  correct: boolean;
  streak: number;
}

export abstract class Client {
  role: ClientRole = "new";
  /** A hello is being worked on. */
  greeting = false;
  closed = false;
  room: Room | undefined;
  playerId = "";
  /** Orders the connections of a player: the greater is the newer. */
  connection = "";
  /** A host's own token, for its commands. */
  token = "";
  badFrames = 0;
  attempt: Attempt | undefined;
  verdict: Verdict | undefined;
  /** A round in which the log holds another answer of this player than the one sent here. */
  answeredRound = 0;
  /** What a socket at /livescore shows. */
  liveScore: { sessionId: string; limit: number; states: boolean } | undefined;
  /** States of the rates (common/rate-limit.ts). */
  frameRate = 0;
  answerRate = 0;
  boardRate = 0;
  /** When the client was last told to slow down. */
  toldSlowAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly ip: string,
    readonly openedAt: number,
  ) {}

  /** Sends frames as one write, in order. Does nothing once the socket is closed. */
  abstract send(...frames: Frame[]): void;
  /** Closes the socket; the client's own close follows at once. Safe to repeat. */
  abstract end(code: CloseCode, why: string): void;
  abstract subscribe(topic: string): void;
  /** Bytes that wait for a slow client. */
  abstract waitingBytes(): number;
}
