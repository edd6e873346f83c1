/** What a round brought one player. Pure: the own verdict and the standings in, the frame out. */
import type { OwnResult } from "@fanfare/proto/gateway/v1/frames";
import type { PlayerStanding } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type { Verdict } from "../domain/client.js";

/** Where everybody stands after a round; undefined where the leaderboard does not say so (yet). */
export interface RoundStandings {
  players: number;
  byPlayer: ReadonlyMap<string, PlayerStanding>;
}

export function ownResult(
  round: number,
  verdict: Verdict | undefined,
  standings: RoundStandings | undefined,
  playerId: string,
): Omit<OwnResult, "$typeName"> {
  const answer = verdict?.round === round ? verdict : undefined;
  const standing = standings?.byPlayer.get(playerId);
  return {
    round,
    answered: answer !== undefined,
    correct: answer?.correct ?? false,
    points: answer?.points ?? 0,
    total: standing?.points ?? 0,
    rank: standing?.rank ?? 0,
    change: standing?.change ?? 0,
    gap: standing?.gap ?? 0,
    streak: answer?.streak ?? 0,
    players: standings?.players ?? 0,
    stale: standings === undefined,
  };
}

/** The standings of a response, where they hold the round. */
export function standingsOf(
  response: { standings: PlayerStanding[]; players: number; finalRound: number } | undefined,
  round: number,
): RoundStandings | undefined {
  if (!response || response.finalRound < round) return undefined;
  const byPlayer = new Map(response.standings.map((each) => [each.playerId, each]));
  return { players: response.players, byPlayer };
}
