/** The stage director: what stands for the services' state, and how they are told to behave. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ServiceError } from "@fanfare/common/errors";
import { nicknameKey } from "@fanfare/proto/addresses";
import type { Answer, AnswerVerdict } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { Standing } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import {
  PlayerStatus,
  type StoredAnswer,
  StoredAnswerSchema,
} from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase, type Session, SessionSchema } from "@fanfare/proto/quiz/v1/session";

export type SessionFields = Partial<Omit<MessageInitShape<typeof SessionSchema>, "$typeName">>;

interface StagedPlayer {
  playerId: string;
  nickname: string;
  submissionId: string;
  status: PlayerStatus;
}

/** One session as the stage director knows it. */
export class StagedSession {
  readonly players = new Map<string, StagedPlayer>();
  /** Stored answers by round and player. */
  readonly answers = new Map<string, StoredAnswer & { streak: number; elapsedMs: number }>();
  /** Right choices; they never leave before a test says so. */
  right = ["A"];
  record: SessionFields = {};
  standings: Standing[] = [];
  finalRound = 0;
  /** Positions that the next looks at the standings hold. */
  scores: { scoresFrom: bigint; scoresTo: bigint }[] = [];

  /** Whether the log takes no answer to this round any more. */
  isClosed(round: number): boolean {
    const { round: current = 0, phase } = this.record;
    return round < current || phase === Phase.REVEAL || phase === Phase.ENDED;
  }
}

/** What the services were asked, and how they are to behave. */
export class Director {
  readonly sessions = new Map<string, StagedSession>();
  readonly calls: string[] = [];
  /** Answer batches that arrived. */
  readonly batches: Answer[][] = [];
  /** Tokens' subjects of host commands. */
  readonly commandsBy: string[] = [];
  quizIsAway = false;
  leaderboardIsAway = false;
  /** Answers are held back until this resolves. */
  answersGate: Promise<void> = Promise.resolve();
  /** Resumes are answered when this resolves, with what was there when they asked. */
  resumeGate: Promise<void> = Promise.resolve();
  /** So many look-ups of answers fail from now on. */
  lookUpsFail = 0;
  #playerCount = 0;

  session(sessionId: string): StagedSession {
    const session = this.sessions.get(sessionId);
    if (!session) throw new ServiceError(ErrorReason.SESSION_NOT_FOUND, "no session has this id");
    return session;
  }

  join(session: StagedSession, nickname: string, submissionId: string) {
    const same = [...session.players.values()].find(
      (each) => nicknameKey(each.nickname) === nicknameKey(nickname),
    );
    if (nickname.length > 24) return { refused: ErrorReason.NAME_INVALID };
    if (same && same.submissionId !== submissionId) return { refused: ErrorReason.NAME_TAKEN };
    const playerId = same?.playerId ?? `p${++this.#playerCount}`;
    const player = { playerId, nickname, submissionId, status: PlayerStatus.ACTIVE };
    if (!same) session.players.set(playerId, player);
    return { player, again: same !== undefined };
  }

  submit(session: StagedSession, round: number, answer: Answer): AnswerVerdict {
    const player = session.players.get(answer.playerId);
    if (!player) return no(ErrorReason.PLAYER_NOT_FOUND);
    if (player.status === PlayerStatus.KICKED) return no(ErrorReason.KICKED);
    const key = `${round} ${answer.playerId}`;
    const known = session.answers.get(key);
    if (known && known.submissionId !== answer.submissionId)
      return no(ErrorReason.ALREADY_ANSWERED);
    if (!known) {
      const { record } = session;
      const limitMs = (record.timeLimitMs ?? 0) + (record.answerGraceMs ?? 0);
      if (session.isClosed(round)) return no(ErrorReason.ROUND_CLOSED);
      if (answer.elapsedMs > limitMs) return no(ErrorReason.UNAVAILABLE);
    }
    const correct = answer.choices.join() === session.right.join();
    const { submissionId, choices, elapsedMs } = answer;
    const points = correct ? 900 : 0;
    const stored = create(StoredAnswerSchema, { round, choices, submissionId, points, correct });
    if (!known) session.answers.set(key, Object.assign(stored, { streak: 1, elapsedMs }));
    return { refused: ErrorReason.UNSPECIFIED, points, correct, streak: 1 };
  }
}

function no(refused: ErrorReason): AnswerVerdict {
  return { refused, points: 0, correct: false, streak: 0 };
}

export function toSession(fields: SessionFields): Session {
  return create(SessionSchema, fields as MessageInitShape<typeof SessionSchema>);
}
