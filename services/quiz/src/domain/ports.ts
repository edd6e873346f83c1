/** What the rules need from outside, in the words of the rules. */
import type { Span } from "@fanfare/common/tracing";
import type { PlayerChange, ScoredAnswer, SessionCreated } from "@fanfare/proto/events/v1/events";
import type { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import type { ChoiceCount, FrozenQuiz, Session } from "@fanfare/proto/quiz/v1/session";
import type { Quiz } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type { AnswerVerdict } from "./answer-fold.js";
import type { Outage } from "./outage.js";
import type { KnownPlayer, PlayerVerdict } from "./player-fold.js";
import type { Outcome } from "./session.js";

export interface StoredSession {
  session: Session;
  /** Rises with every change; the token of compare-and-set. */
  revision: number;
}

/** Whether the log takes entries, and when it did not. */
export interface LogHealth {
  /** The last outage of a second or more. */
  readonly last: Outage | undefined;
  /** Resolves where it takes entries now. Throws UNAVAILABLE. */
  ensure(): Promise<void>;
  /** Calls back after each outage of a second or more, until the result is called. */
  onOver(listener: (outage: Outage) => void): () => void;
}

/** Session records, frozen quizzes and PINs. Throws UNAVAILABLE while the store can't be reached. */
export interface SessionStore {
  /** The record as last heard of, or as stored; undefined where there is none. */
  find(sessionId: string): Promise<StoredSession | undefined>;
  /** The same, asked of the store. */
  read(sessionId: string): Promise<StoredSession | undefined>;
  /** All that this pod knows of. */
  all(): Iterable<StoredSession>;
  /** Right answers of a session. */
  frozenQuiz(session: Session): Promise<FrozenQuiz>;
  putFrozenQuiz(session: Session, quiz: FrozenQuiz): Promise<void>;
  /**
   * Replaces the record by what `change` makes of it, again and again while somebody else is
   * quicker. Resolves to the record that holds; throws the refusal as ServiceError.
   */
  update(
    sessionId: string,
    change: (session: Session, quiz: FrozenQuiz) => Outcome,
  ): Promise<Session>;
  /**
   * Compare-and-set; revision 0 creates. Resolves to the revision that the record has now; undefined
   * where somebody was quicker.
   */
  replace(session: Session, revision: number): Promise<number | undefined>;
  /** Forgets a record that still has this revision. */
  remove(sessionId: string, revision: number): Promise<void>;
  /** Takes a PIN for a session; false where a live session has it. */
  claimPin(pin: string, sessionId: string): Promise<boolean>;
  /** Gives back a PIN, where it is this session's. An end gives back the session's own. */
  releasePin(pin: string, sessionId: string): Promise<void>;
  sessionOfPin(pin: string): Promise<Session | undefined>;
  /** Calls back after every change heard of, in the order of revisions, until the result is called. */
  onChange(listener: (stored: StoredSession) => void): () => void;
}

/** One answer lane of a round. */
export interface AnswerLane {
  /** In order, once durable or decided by what is durable. Throws UNAVAILABLE (retryable). */
  submit(answers: readonly ScoredAnswer[], span?: Span): Promise<AnswerVerdict[]>;
  /** What the log holds of a player, as far as this pod has read. */
  find(playerId: string): ScoredAnswer | undefined;
  /** Sequence of the entry that holds it; 0 where there is none. */
  positionOf(playerId: string): number;
  /** Whether the lane takes no answer any more, as far as this pod has read. */
  readonly closed: boolean;
  /** Reads on to the end of the lane. */
  refresh(): Promise<void>;
  /** Appends the entry after which the lane takes no answer. Safe to repeat, from any pod. */
  close(): Promise<void>;
}

/** A session's part of the log. Throws UNAVAILABLE (retryable) while it can't be reached. */
export interface SessionLog {
  /** Sequence of the session's first entry. */
  readonly logStart: bigint;
  readonly lanes: number;
  laneOf(playerId: string): number;
  /** A lane of the current round, or of the one whose streaks go on. */
  answerLane(round: number, lane: number): AnswerLane;
  /**
   * A lane of a round that is over, read to its end. Undefined where too many are asked for: they are
   * read again for each pod that has forgotten them.
   */
  pastLane(round: number, lane: number): Promise<AnswerLane | undefined>;
  /** Right answers in a row of a player up to a round that is closed. */
  streaksAfter(round: number, lane: number): Promise<(playerId: string) => number>;
  /** Resolves once durable, or decided by what is durable. */
  changePlayer(nicknameKey: string, change: PlayerChange, span?: Span): Promise<PlayerVerdict>;
  /** Finds players; asks the log once for those that this pod has not heard of. */
  findPlayers(playerIds: readonly string[]): Promise<(KnownPlayer | undefined)[]>;
  /** Who has this name now. */
  playerByName(nicknameKey: string): Promise<KnownPlayer | undefined>;
  refreshPlayers(): Promise<void>;
  /** Up to `count` players in the order of joining, after a place, as the log has them now. */
  listPlayers(
    place: number,
    count: number,
  ): Promise<{ players: KnownPlayer[]; more: boolean; total: number }>;
  /** Takes note of a removal that another pod has stored. */
  noteRemoval(playerId: string, status: PlayerStatus): void;
  /** Tells the gateways at once; the log has it already. */
  announceRemoval(player: KnownPlayer): void;
  /** Closes all lanes of a round and stores the event behind them. Safe to repeat, from any pod. */
  closeRound(
    round: number,
    choices: readonly string[],
  ): Promise<{ answers: number; distribution: ChoiceCount[] }>;
  /** Stores the session's last entry. Safe to repeat, from any pod. */
  end(rounds: number): Promise<void>;
  /** Keeps the lanes from this round on; others are read again when asked for. */
  forgetRoundsBefore(round: number): void;
}

/** The logs of the sessions that this pod has to do with. */
export interface SessionLogs {
  /** Made when first asked for; that of an ended session is forgotten a while later. */
  of(session: Session): SessionLog;
  /** The session's log where this pod has one. */
  known(session: Session): SessionLog | undefined;
  /** Sequence of the newest first entry of a session of this id; 0 for none. */
  lastStart(sessionId: string): Promise<number>;
  /**
   * Stores a session's first entry and returns its sequence; undefined where a session of this id has
   * begun since `lastStart`.
   */
  create(
    sessionId: string,
    created: SessionCreated,
    lastStart: number,
  ): Promise<bigint | undefined>;
}

/** The question bank, as far as sessions need it. */
export interface QuizBank {
  getQuiz(quizId: string): Promise<Quiz>;
}

export interface StoredScore {
  round: number;
  /** Of a player, or an outsider's name. */
  playerId: string;
  outside: boolean;
  nickname: string;
  points: number;
  /** Missing for a score of an outsider. */
  correct?: boolean;
  choices: string[];
  elapsedMs: number;
  submissionId: string;
  acceptedAtMs: number;
}

/** What the history writer has stored. Throws UNAVAILABLE while PostgreSQL can't be reached. */
export interface HistoryReader {
  /** The last session of this id that fits. */
  findSession(sessionId: string, fits?: HistoryFit): Promise<StoredSessionHead | undefined>;
  /** The newest first, from below the place `before`. */
  listSessions(of: {
    sessionId?: string;
    host?: string;
    before?: string;
    count: number;
  }): Promise<ListedSession[]>;
  /** By round and player, some hundred at a time. */
  rows(sessionId: string, place: string): AsyncIterable<StoredScore[]>;
}

/** Which of the sessions that had an id; what is not given fits all. */
export interface HistoryFit {
  place?: string;
  logStart?: bigint;
  host?: string;
}

export interface StoredSessionHead {
  /** What the store knows the session's beginning by. */
  place: string;
  logStart: bigint;
  host: string;
}

export interface ListedSession {
  sessionId: string;
  place: string;
  title: string;
  host: string;
  rounds: number;
  createdAt: Date;
  endedAt: Date | null;
}
