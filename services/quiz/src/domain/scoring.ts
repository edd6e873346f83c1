/** From an answer to its points. Formulas and bounds as documented at ScoringFormula. */
import { ScoringFormula, type SessionOptions } from "@fanfare/proto/quiz/v1/session";

/** An answer within this time gets full points: nobody reads and answers faster. */
export const FULL_POINTS_WITHIN_MS = 500;

/** Steps that the streak bonus grows by where its bound is not set. */
const STREAK_STEPS = 5;

export interface Scored {
  points: number;
  /** Right answers in a row, this one included. */
  streak: number;
}

export interface AnswerFacts {
  correct: boolean;
  elapsedMs: number;
  timeLimitMs: number;
  /** Points of the question at full speed. */
  points: number;
  /** Points taken for a wrong answer. */
  penalty: number;
  /** Right answers directly before this round. */
  streakBefore: number;
}

export function awardPoints(answer: AnswerFacts, options: SessionOptions): Scored {
  if (!answer.correct) return { points: answer.penalty === 0 ? 0 : -answer.penalty, streak: 0 };
  const base = pointsForSpeed(options.scoring, answer);
  // A question without points neither gives a bonus nor breaks a streak.
  const bonus = answer.points === 0 ? 0 : streakBonus(answer.streakBefore, options);
  return { points: base + bonus, streak: answer.streakBefore + 1 };
}

function pointsForSpeed(formula: ScoringFormula, answer: AnswerFacts): number {
  const { points, elapsedMs, timeLimitMs } = answer;
  if (elapsedMs <= FULL_POINTS_WITHIN_MS || formula === ScoringFormula.FLAT) return points;
  const share = Math.min(elapsedMs / timeLimitMs, 1);
  if (formula === ScoringFormula.LINEAR) return Math.round(points * (1 - share));
  return Math.round(points * (1 - share / 2));
}

function streakBonus(streakBefore: number, options: SessionOptions): number {
  const step = options.streakBonusStep;
  return Math.min(streakBefore * step, options.streakBonusMax || step * STREAK_STEPS);
}
