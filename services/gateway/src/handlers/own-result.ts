/** What a round brought one player. Pure: the own verdict and the standings in, the frame out. */
import type { OwnResult } from "@fanfare/proto/gateway/v1/frames";
import type { Verdict } from "../domain/client.js";
import type { Standings } from "../domain/service-ports.js";

/** `standings`: undefined where the leaderboard does not say (yet) what the round has brought. */
export function ownResult(
  round: number,
  verdict: Verdict | undefined,
  standings: Standings | undefined,
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

/** The standings where they hold the round. */
export function standingsAfter(
  round: number,
  standings: Standings | undefined,
): Standings | undefined {
  return standings && standings.finalRound >= round ? standings : undefined;
}
