/** GetStandings: points and ranks of a batch of players, by column, once a round is in the board. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { invalidField, ServiceError } from "@fanfare/common/errors";
import type { CallContext } from "@fanfare/common/grpc-server";
import { scorerKey } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type {
  GetStandingsRequest,
  GetStandingsResponseSchema,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type { FinalRounds, Ranks, RankTables } from "../domain/ports.js";
import { bounded } from "../domain/standings.js";
import { checkToken } from "./fields.js";

const PLAYER_IDS_MAX = 20_000;

type Response = MessageInitShape<typeof GetStandingsResponseSchema>;

export function getStandings(tables: RankTables, finalRounds: FinalRounds) {
  return async (request: GetStandingsRequest, call: CallContext): Promise<Response> => {
    const { sessionId, playerIds, round, outside } = request;
    checkToken("session_id", sessionId);
    if (playerIds.length < 1 || playerIds.length > PLAYER_IDS_MAX)
      throw invalidField("player_ids", `1..${PLAYER_IDS_MAX} ids`);
    const { sessionId: boundTo } = call.identity;
    if (boundTo !== undefined && boundTo !== sessionId)
      throw new ServiceError(ErrorReason.FORBIDDEN, "the token is for another session");
    // Where nothing can be read (PostgreSQL is away), the board may be on its way: the second look counts.
    const now = tables.ranksOf(sessionId);
    let ranks = await (round > 0 ? now.catch(() => undefined) : now);
    if (round > (ranks?.finalRound ?? 0)) {
      // The ranks until now stay with the tables: they are those to compare with.
      await finalRounds.wait(sessionId, round, call.signal);
      ranks = await tables.ranksOf(sessionId);
    }
    const scorers = playerIds.map((id) => scorerKey({ id, outside }));
    return ranks ? toResponse(ranks, scorers) : {};
  };
}

function toResponse({ table, previous, finalRound, scores }: Ranks, scorers: string[]): Response {
  const { length } = scorers;
  const column = () => new Array<number>(length).fill(0);
  const [ranks, points, changes, gaps] = [column(), column(), column(), column()];
  for (const [index, scorer] of scorers.entries()) {
    const rank = table.rankOf(scorer);
    if (rank === 0) continue;
    ranks[index] = rank;
    points[index] = bounded(table.pointsAt(rank));
    gaps[index] = bounded(table.gapAt(rank));
    const before = previous?.rankOf(scorer) ?? 0;
    if (before > 0) changes[index] = before - rank;
  }
  const { from: scoresFrom = 0n, to: scoresTo = 0n } = scores ?? {};
  const { players } = table;
  return { ranks, points, changes, gaps, players, finalRound, scoresFrom, scoresTo };
}
