/** Rows as everybody sees them: a nickname or the id, and ranks that are distinct. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { StandingSchema } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type { Board } from "./ports.js";

export function toStandings({
  rows,
  firstRank,
}: Pick<Board, "rows" | "firstRank">): MessageInitShape<typeof StandingSchema>[] {
  return rows.map(({ playerId, nickname, points, elapsedMs }, i) => ({
    playerId,
    nickname: nickname || playerId,
    points,
    elapsedMs,
    rank: firstRank + i,
  }));
}
