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
    const shown = { playerId, nickname: nickname || playerId, points: bounded(points) };
    return { ...shown, elapsedMs, rank, outside };
  });
}

/** Largest number that the contract holds (int32). */
const POINTS_MAX = 2 ** 31 - 1;

/** Only outsiders can bring more, or less: they stand at the bound, in every store. */
export function bounded(points: number): number {
  return Math.max(-POINTS_MAX, Math.min(POINTS_MAX, points));
}
