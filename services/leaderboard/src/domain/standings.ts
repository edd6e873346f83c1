/** Rows as everybody sees them: a nickname or the id, and ranks that are distinct. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { readScorerKey } from "@fanfare/proto/addresses";
import type { StandingSchema } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type { Board } from "./ports.js";

export function toStandings({
  rows,
  firstRank,
}: Pick<Board, "rows" | "firstRank">): MessageInitShape<typeof StandingSchema>[] {
  return rows.map(({ scorer, nickname, points, elapsedMs }, i) => {
    const { id: playerId, outside } = readScorerKey(scorer);
    const rank = firstRank + i;
    return { playerId, nickname: nickname || playerId, points, elapsedMs, rank, outside };
  });
}
