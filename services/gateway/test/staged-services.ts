/** The two services' contract as the stage director answers it: one handler per RPC. */
import { ServiceError } from "@fanfare/common/errors";
import type { CallContext, Handlers } from "@fanfare/common/grpc-server";
import { type Answer, fromAnswerColumns, toVerdictColumns } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import {
  PlayerStatus,
  type QuizService,
  type SubmitAnswersRequest,
} from "@fanfare/proto/quiz/v1/quiz_service";
import { type Director, toSession } from "./director.js";

export function quizHandlers(director: () => Director): Handlers<typeof QuizService> {
  const command = (name: string) => async (request: { sessionId: string }, call: CallContext) => {
    director().calls.push(name);
    director().commandsBy.push(call.identity.subject);
    return { session: toSession(director().session(request.sessionId).record) };
  };
  const away = () => {
    if (director().quizIsAway) throw new ServiceError(ErrorReason.UNAVAILABLE, "the log is away");
  };
  const none = async () => {
    throw new ServiceError(ErrorReason.INTERNAL, "not on this stage");
  };
  return {
    createSession: none,
    listSessions: none,
    listHistory: none,
    exportHistory: none,
    exportQuiz: none,
    watchSession: none,
    banPlayer: none,
    async getSession({ sessionId }: { sessionId: string }) {
      director().calls.push("getSession");
      return { session: toSession(director().session(sessionId).record), revision: 1n };
    },
    async resolvePin({ pin }: { pin: string }) {
      director().calls.push("resolvePin");
      for (const [sessionId, { record }] of director().sessions)
        if (record.pin === pin) return { sessionId };
      throw new ServiceError(ErrorReason.SESSION_NOT_FOUND, "no session has this PIN");
    },
    startSession: command("startSession"),
    nextRound: command("nextRound"),
    pauseSession: command("pauseSession"),
    continueSession: command("continueSession"),
    extendRound: command("extendRound"),
    skipRound: command("skipRound"),
    endSession: command("endSession"),
    lockSession: command("lockSession"),
    async kickPlayer() {
      throw new ServiceError(ErrorReason.PLAYER_NOT_FOUND, "no player of the session is called so");
    },
    async listPlayers({ sessionId, pageSize, pageToken }: ListRequest) {
      away();
      const players = [...director().session(sessionId).players.values()];
      const at = Number(pageToken || 0);
      const end = at + pageSize;
      return {
        players: players.slice(at, end),
        nextPageToken: end < players.length ? String(end) : "",
        total: players.length,
      };
    },
    async joinSession({ sessionId, joins }: JoinRequest) {
      away();
      director().calls.push(`joinSession ${joins.length}`);
      const session = director().session(sessionId);
      return {
        results: joins.map(({ nickname, submissionId }) =>
          director().join(session, nickname, submissionId),
        ),
      };
    },
    async resumeSession({ sessionId, playerIds, round }: PlayersRequest) {
      away();
      director().calls.push(`resumeSession ${playerIds.length}`);
      const session = director().session(sessionId);
      const results = playerIds.map((playerId) => {
        const player = session.players.get(playerId);
        if (!player) return { refused: ErrorReason.PLAYER_NOT_FOUND };
        if (player.status === PlayerStatus.KICKED) return { player, refused: ErrorReason.KICKED };
        const answer = session.answers.get(`${round} ${playerId}`);
        const final = session.isClosed(round);
        return answer ? { player, answer, final } : { player, final };
      });
      await director().resumeGate;
      return { results };
    },
    async findAnswers({ sessionId, playerIds, round }: PlayersRequest) {
      away();
      director().calls.push(`findAnswers ${round} ${playerIds.length}`);
      if (director().lookUpsFail > 0 && director().lookUpsFail--)
        throw new ServiceError(ErrorReason.UNAVAILABLE, "the log is away");
      const session = director().session(sessionId);
      const places = [];
      const answers = [];
      for (const [place, playerId] of playerIds.entries()) {
        const answer = session.answers.get(`${round} ${playerId}`);
        if (!answer) continue;
        places.push(place);
        answers.push(answer);
      }
      return { places, answers, final: session.isClosed(round) };
    },
    async submitAnswers({ lanes }: SubmitAnswersRequest) {
      away();
      const batches = lanes.map((lane) => fromAnswerColumns(lane) as Answer[]);
      director().batches.push(...batches);
      await director().answersGate;
      away();
      const verdicts = lanes.map(({ sessionId, round }, i) => {
        const session = director().session(sessionId);
        const answers = batches[i] ?? [];
        return toVerdictColumns(answers.map((each) => director().submit(session, round, each)));
      });
      return { lanes: verdicts };
    },
  } as unknown as Handlers<typeof QuizService>;
}

interface PlayersRequest {
  sessionId: string;
  playerIds: string[];
  round: number;
}

interface ListRequest {
  sessionId: string;
  pageSize: number;
  pageToken: string;
}

interface JoinRequest {
  sessionId: string;
  joins: { nickname: string; submissionId: string }[];
}

export function leaderboardHandlers(director: () => Director): Handlers<typeof LeaderboardService> {
  const away = () => {
    if (director().leaderboardIsAway)
      throw new ServiceError(ErrorReason.UNAVAILABLE, "Redis can't be reached");
  };
  const standingsOf = (sessionId: string) => director().sessions.get(sessionId)?.standings ?? [];
  return {
    async getLeaderboard(request) {
      away();
      director().calls.push(`getLeaderboard ${request.pageSize}`);
      const all = standingsOf(request.sessionId);
      const around = all.findIndex(({ playerId }) => playerId === request.aroundPlayerId);
      const at = around >= 0 ? Math.max(0, around - 1) : Number(request.pageToken || 0);
      const standings = all.slice(at, at + request.pageSize);
      const end = at + request.pageSize;
      return {
        standings,
        nextPageToken: end < all.length ? String(end) : "",
        players: all.length,
      };
    },
    async getStandings({ sessionId, playerIds }) {
      away();
      director().calls.push(`getStandings ${playerIds.length}`);
      const all = new Map(standingsOf(sessionId).map((each) => [each.playerId, each]));
      const found = playerIds.map((playerId) => all.get(playerId));
      return {
        ranks: found.map((each) => each?.rank ?? 0),
        points: found.map((each) => each?.points ?? 0),
        changes: found.map((each) => (each ? 1 : 0)),
        gaps: found.map((each) => (each ? 5 : 0)),
        players: all.size,
        finalRound: director().sessions.get(sessionId)?.finalRound ?? 0,
        ...director().sessions.get(sessionId)?.scores.shift(),
      };
    },
    async getGlobalLeaderboard() {
      return { standings: [], nextPageToken: "" };
    },
    async rebuildLeaderboard() {
      return { partition: 0 };
    },
  };
}
