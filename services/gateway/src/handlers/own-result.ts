/** What a round brought one player. Pure: the own verdict and the standings in, the frame out. */
import { AnswerState, type OwnResult } from "@fanfare/proto/gateway/v1/frames";
import type { Verdict } from "../domain/client.js";
import type { Standings } from "../domain/service-ports.js";

/** What became of a player's answer to a round: "none" is the log's own word, undefined is not known. */
export type Outcome = Verdict | "none" | undefined;

/** `standings`: undefined where the leaderboard does not say (yet) what the round has brought. */
export function ownResult(
  round: number,
  outcome: Outcome,
  standings: Standings | undefined,
  playerId: string,
): Omit<OwnResult, "$typeName"> {
  const answer = outcome === "none" ? undefined : outcome;
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
    answerState: stateOf(outcome),
  };
}

function stateOf(outcome: Outcome): AnswerState {
  if (outcome === "none") return AnswerState.NONE;
  return outcome ? AnswerState.STORED : AnswerState.PENDING;
}

/** The standings where they hold the round. */
export function standingsAfter(
  round: number,
  standings: Standings | undefined,
): Standings | undefined {
  return standings && standings.finalRound >= round ? standings : undefined;
}
