/** The answers of one lane of a round: who has answered, and whether more may come. */
import type { ScoredAnswer } from "@fanfare/proto/events/v1/events";
import type { LaneFold } from "./lane.js";

export type AnswerVerdict =
  | { kind: "accepted"; answer: ScoredAnswer }
  | { kind: "alreadyAnswered" }
  | { kind: "closed" };

interface StoredInLane {
  answer: ScoredAnswer;
  sequence: number;
}

export class AnswerFold implements LaneFold<ScoredAnswer, ScoredAnswer, AnswerVerdict> {
  readonly #answers = new Map<string, StoredInLane>();
  #ahead = new Map<string, ScoredAnswer>();
  #aheadOf: readonly ScoredAnswer[] | undefined;
  closed = false;

  decide(command: ScoredAnswer, ahead: readonly ScoredAnswer[]) {
    const first = this.get(command.playerId) ?? this.#inEntry(command.playerId, ahead);
    if (first) {
      const same = first.submissionId === command.submissionId;
      return {
        verdict: same
          ? ({ kind: "accepted", answer: first } as const)
          : ({ kind: "alreadyAnswered" } as const),
      };
    }
    if (this.closed) return { verdict: { kind: "closed" } as const };
    return { change: command, verdict: { kind: "accepted", answer: command } as const };
  }

  apply(
    changes: readonly ScoredAnswer[],
    { closed, sequence }: { closed: boolean; sequence: number },
  ): void {
    for (const answer of changes)
      if (!this.#answers.has(answer.playerId))
        this.#answers.set(answer.playerId, { answer, sequence });
    if (closed) this.closed = true;
  }

  get(playerId: string): ScoredAnswer | undefined {
    return this.#answers.get(playerId)?.answer;
  }

  /** Sequence of the entry that holds the player's answer; 0 where there is none. */
  positionOf(playerId: string): number {
    return this.#answers.get(playerId)?.sequence ?? 0;
  }

  get size(): number {
    return this.#answers.size;
  }

  *values(): Iterable<ScoredAnswer> {
    for (const { answer } of this.#answers.values()) yield answer;
  }

  /** Looks a player up in the entry that is being made; indexes it as it grows. */
  #inEntry(playerId: string, ahead: readonly ScoredAnswer[]): ScoredAnswer | undefined {
    if (ahead !== this.#aheadOf) {
      this.#aheadOf = ahead;
      this.#ahead = new Map();
    }
    for (let i = this.#ahead.size; i < ahead.length; i++) {
      const answer = ahead[i];
      if (answer) this.#ahead.set(answer.playerId, answer);
    }
    return this.#ahead.get(playerId);
  }
}
