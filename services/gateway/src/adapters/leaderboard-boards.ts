/** Reads of the leaderboard service. */
import { create } from "@bufbuild/protobuf";
import type { ServicePool } from "@fanfare/common/service-pool";
import { type LeaderboardChanged, LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
import type {
  GetStandingsResponse,
  LeaderboardService,
  Standing,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type { Boards, OwnStanding, Standings } from "../domain/service-ports.js";

const PLAYERS_PER_CALL = 10_000;
/** The service waits up to 2 s for a round; a scan of a large board comes on top. */
const STANDINGS_WITHIN_MS = 4_000;
const PAGE_WITHIN_MS = 3_000;
/** As many as a snapshot of the stream has at most. */
const SNAPSHOT_ROWS = 100;
/** A room does not open before, so that it opens with its board. */
const SNAPSHOT_WITHIN_MS = 1_000;
const UINT64_MAX = 2n ** 64n - 1n;

export class LeaderboardBoards implements Boards {
  constructor(private readonly leaderboard: ServicePool<typeof LeaderboardService>) {}

  async standings(
    sessionId: string,
    playerIds: string[],
    round: number,
    { timeoutMs = STANDINGS_WITHIN_MS, span }: Parameters<Boards["standings"]>[3] = {},
  ): Promise<Standings> {
    const deadline = performance.now() + timeoutMs;
    const origins = span && [span];
    const parts: string[][] = [];
    for (let at = 0; at < playerIds.length; at += PLAYERS_PER_CALL)
      parts.push(playerIds.slice(at, at + PLAYERS_PER_CALL));
    const responses = await Promise.all(
      parts.map((part) =>
        this.leaderboard.request(sessionId, (client) =>
          client.getStandings(
            { sessionId, playerIds: part, round },
            { timeoutMs: Math.max(1, deadline - performance.now()), origins },
          ),
        ),
      ),
    );
    const byPlayer = new Map<string, OwnStanding>();
    for (const [index, response] of responses.entries())
      addStandings(byPlayer, parts[index] ?? [], response);
    const finalRound = Math.min(...responses.map((response) => response.finalRound));
    const from = responses.reduce((least, { scoresFrom }) => min(least, scoresFrom), UINT64_MAX);
    const to = responses.reduce((most, { scoresTo }) => max(most, scoresTo), 0n);
    return { byPlayer, players: responses[0]?.players ?? 0, finalRound, scores: { from, to } };
  }

  page(of: Parameters<Boards["page"]>[0]) {
    return this.leaderboard.request(of.sessionId, (client) =>
      client.getLeaderboard(of, { timeoutMs: PAGE_WITHIN_MS }),
    );
  }

  /**
   * The board as a snapshot, for sessions whose last one the stream does not hold any more; undefined where
   * there is none, and while the leaderboard can't be reached.
   */
  async snapshot(sessionId: string): Promise<LeaderboardChanged | undefined> {
    try {
      const asked = { sessionId, pageSize: SNAPSHOT_ROWS };
      const board = await this.leaderboard.request(sessionId, (client) =>
        client.getLeaderboard(asked, { timeoutMs: SNAPSHOT_WITHIN_MS }),
      );
      const { epoch, version, standings, players, finalRound, ended } = board;
      if (players === 0) return undefined;
      const round = finalRound;
      const shown = { sessionId, epoch, version, standings, players, finalRound, round, ended };
      return create(LeaderboardChangedSchema, { ...shown, joined: players });
    } catch {
      return undefined;
    }
  }

  async rows(sessionId: string, count: number): Promise<Standing[]> {
    const { standings } = await this.leaderboard.request(sessionId, (client) =>
      client.getLeaderboard({ sessionId, pageSize: count }, { timeoutMs: PAGE_WITHIN_MS }),
    );
    return standings;
  }
}

const min = (a: bigint, b: bigint) => (a < b ? a : b);
const max = (a: bigint, b: bigint) => (a > b ? a : b);

function addStandings(
  byPlayer: Map<string, OwnStanding>,
  playerIds: readonly string[],
  { ranks, points, changes, gaps }: GetStandingsResponse,
): void {
  for (const [index, rank] of ranks.entries()) {
    const playerId = playerIds[index];
    if (rank === 0 || playerId === undefined) continue;
    byPlayer.set(playerId, {
      rank,
      points: points[index] ?? 0,
      change: changes[index] ?? 0,
      gap: gaps[index] ?? 0,
    });
  }
}
