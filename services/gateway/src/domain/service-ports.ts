/** What the gateway asks of the services behind it, by the names of the domain; adapters act. */

import type { Span } from "@fanfare/common/tracing";
import type { Role } from "@fanfare/proto/access";
import type { Answer, AnswerVerdict } from "@fanfare/proto/answer-columns";
import type { HostCommand } from "@fanfare/proto/gateway/v1/frames";
import type {
  GetLeaderboardResponse,
  Standing,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type {
  JoinResult,
  ListPlayersResponse,
  ResumeResult,
} from "@fanfare/proto/quiz/v1/quiz_service";
import type { Verdict } from "./client.js";

export interface Identity {
  role: Role;
  subject: string;
  sessionId?: string;
  sessionStart?: bigint;
}

export interface Identities {
  /** Throws UNAUTHENTICATED for whatever is not a valid token. */
  verify(token: string): Identity;
  /** A player's resume token. */
  issuePlayer(playerId: string, session: { sessionId: string; logStart: bigint }): string;
}

export interface Pins {
  /** The session behind a PIN; undefined where there is none. Fails with UNAVAILABLE. */
  resolve(pin: string): Promise<string | undefined>;
}

/** Where one player stands. */
export interface OwnStanding {
  points: number;
  /** From 1. */
  rank: number;
  /** Places won since the round before; 0 where that is not known. */
  change: number;
  /** Points to the player directly above; 0 for the first. */
  gap: number;
}

/** Where the players that were asked for stand. */
export interface Standings {
  /** Without those who have no score. */
  byPlayer: ReadonlyMap<string, OwnStanding>;
  /** How many players of the session have a score. */
  players: number;
  /** The last closed round that these hold. */
  finalRound: number;
  /** Positions in the log: every score up to `from` is in these, none behind `to`. */
  scores: { from: bigint; to: bigint };
}

/** A player who came back: who it is, and where it stands if the leaderboard could be asked. */
export interface Resumed {
  result: ResumeResult;
  /** Of all who came back with this player; undefined where the leaderboard could not be asked. */
  standings: Standings | undefined;
}

/** What the log holds of players' answers to a round. */
export interface FoundAnswers {
  byPlayer: ReadonlyMap<string, Verdict>;
  /** Who is not among them never will be. */
  final: boolean;
}

/** Players in and out. Everything is durable when it resolves, and safe to repeat. */
export interface Admissions {
  join(of: {
    sessionId: string;
    /** Which of the sessions that had this id. */
    logStart: bigint;
    lanes: number;
    nickname: string;
    submissionId: string;
    /** Where this join is traced. */
    span?: Span | undefined;
  }): Promise<JoinResult>;
  /**
   * With the answer to `round` as the log has it, 0 for the current one, and with the standing as of
   * `closedRound`, which is waited for a little; 0 does not wait.
   */
  resume(of: {
    sessionId: string;
    playerId: string;
    round: number;
    closedRound: number;
    /** The board moves with every answer: then it is read before the answers are. */
    liveBoard: boolean;
  }): Promise<Resumed>;
  /** What the log holds now of these players' answers to a round. */
  findAnswers(sessionId: string, round: number, playerIds: string[]): Promise<FoundAnswers>;
  /** A page of who is in, in the order of joining. */
  list(sessionId: string, pageToken: string): Promise<ListPlayersResponse>;
}

export interface PendingAnswer extends Answer {
  sessionId: string;
  round: number;
  lane: number;
  /** Where this answer is traced. */
  span?: Span | undefined;
  /** Called once: with the durable verdict, or undefined where none could be had in time. */
  settle(verdict: AnswerVerdict | undefined): void;
}

export interface Answers {
  /** Sends an answer with others of its lane. Within 2 s it is settled. */
  submit(answer: PendingAnswer): void;
  /** Answers that wait for their verdict. */
  readonly pending: number;
}

export interface Commands {
  /** Does a host's command with the host's own token. Fails as the RPC of the same name does. */
  run(sessionId: string, command: HostCommand["command"], token: string): Promise<void>;
}

/** Reads of the leaderboard. All fail with UNAVAILABLE and are safe to repeat. */
export interface Boards {
  /** Any number of players; waits up to 2 s until the round is in the board. */
  standings(
    sessionId: string,
    playerIds: string[],
    round: number,
    options?: { timeoutMs?: number; span?: Span | undefined },
  ): Promise<Standings>;
  page(of: {
    sessionId: string;
    pageSize: number;
    pageToken: string;
    aroundPlayerId: string;
  }): Promise<GetLeaderboardResponse>;
  /** The first rows. */
  rows(sessionId: string, count: number): Promise<Standing[]>;
}
