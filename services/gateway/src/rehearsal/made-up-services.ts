/** Quiz and leaderboard as a rehearsal needs them, over gRPC on loopback: everybody is let in and is right. */
import type { Handlers } from "@fanfare/common/grpc-server";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import { partOf, serveOnStage } from "@fanfare/common/rehearsal";
import { ServicePool } from "@fanfare/common/service-pool";
import { fromAnswerColumns, toVerdictColumns } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { PlayerStatus, QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import type { GatewayMetrics } from "../metrics.js";

const VERDICT = { refused: ErrorReason.UNSPECIFIED, points: 900, correct: true, streak: 1 };

/** Clients of both services, which close with the stage. */
export async function connectMadeUpServices(metrics: GatewayMetrics, stage: Lifecycle) {
  const services = [partOf(QuizService, quiz), partOf(LeaderboardService, leaderboard)];
  const { address, token } = await serveOnStage(services, metrics, stage);
  const options = { token, metrics };
  return {
    quiz: await ServicePool.connect(QuizService, address, options, stage),
    leaderboard: await ServicePool.connect(LeaderboardService, address, options, stage),
  };
}

/** A player's id tells its name, so that nothing has to be kept. */
const playerOf = (nickname: string) => ({
  playerId: `id-${nickname}`,
  nickname,
  status: PlayerStatus.ACTIVE,
});

const quiz: Partial<Handlers<typeof QuizService>> = {
  async joinSession({ joins }) {
    return { results: joins.map(({ nickname }) => ({ player: playerOf(nickname) })) };
  },
  async resumeSession({ playerIds }) {
    return { results: playerIds.map((id) => ({ player: playerOf(id.slice("id-".length)) })) };
  },
  async submitAnswers({ lanes }) {
    return {
      lanes: lanes.map((lane) => {
        const answers = fromAnswerColumns(lane);
        return toVerdictColumns(typeof answers === "string" ? [] : answers.map(() => VERDICT));
      }),
    };
  },
};

const leaderboard: Partial<Handlers<typeof LeaderboardService>> = {
  async getStandings({ playerIds, round }) {
    return {
      ranks: playerIds.map((_, i) => i + 1),
      points: playerIds.map(() => VERDICT.points),
      changes: playerIds.map(() => 0),
      gaps: playerIds.map(() => 0),
      players: playerIds.length,
      finalRound: round,
    };
  },
};
