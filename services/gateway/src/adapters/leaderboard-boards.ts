/** Reads of the leaderboard service. */
import { create } from "@bufbuild/protobuf";
import type { ServicePool } from "@fanfare/common/service-pool";
import {
  type GetStandingsResponse,
  GetStandingsResponseSchema,
  type LeaderboardService,
  type Standing,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type { Boards } from "../domain/service-ports.js";

const PLAYERS_PER_CALL = 10_000;
/** The service waits up to 2 s for a round; a scan of a large board comes on top. */
const STANDINGS_WITHIN_MS = 4_000;
const PAGE_WITHIN_MS = 3_000;

export class LeaderboardBoards implements Boards {
  constructor(private readonly leaderboard: ServicePool<typeof LeaderboardService>) {}

  async standings(
    sessionId: string,
    playerIds: string[],
    round: number,
    { timeoutMs = STANDINGS_WITHIN_MS, span }: Parameters<Boards["standings"]>[3] = {},
  ): Promise<GetStandingsResponse> {
    const deadline = performance.now() + timeoutMs;
    const origins = span && [span];
    const parts: Promise<GetStandingsResponse>[] = [];
    for (let at = 0; at < playerIds.length; at += PLAYERS_PER_CALL) {
      const part = playerIds.slice(at, at + PLAYERS_PER_CALL);
      parts.push(
        this.leaderboard.request(sessionId, (client) =>
          client.getStandings(
            { sessionId, playerIds: part, round },
            { timeoutMs: Math.max(1, deadline - performance.now()), origins },
          ),
        ),
      );
    }
    const responses = await Promise.all(parts);
    const [first, ...rest] = responses;
    if (!first || rest.length === 0) return first ?? create(GetStandingsResponseSchema);
    return {
      ...first,
      standings: responses.flatMap(({ standings }) => standings),
      finalRound: Math.min(...responses.map(({ finalRound }) => finalRound)),
    };
  }

  page(of: Parameters<Boards["page"]>[0]) {
    return this.leaderboard.request(of.sessionId, (client) =>
      client.getLeaderboard(of, { timeoutMs: PAGE_WITHIN_MS }),
    );
  }

  async rows(sessionId: string, count: number): Promise<Standing[]> {
    const { standings } = await this.leaderboard.request(sessionId, (client) =>
      client.getLeaderboard({ sessionId, pageSize: count }, { timeoutMs: PAGE_WITHIN_MS }),
    );
    return standings;
  }
}
