/**
 * Answers and verdicts between gateway and quiz, as rows and as the columns in which they travel
 * (quiz.v1.LaneAnswers, LaneVerdicts). Nothing outside of here knows the columns.
 */
import type { ErrorReason } from "./gen/common/v1/error_reason_pb.js";
import type { LaneAnswers, LaneVerdicts } from "./gen/quiz/v1/quiz_service_pb.js";

/** The answer time of an answer to a round that is over where it arrives: the largest uint32. */
export const NO_TIME_MS = 0xffff_ffff;

/** One player's answer. */
export interface Answer {
  playerId: string;
  submissionId: string;
  choices: string[];
  elapsedMs: number;
}

/** What came of one answer. */
export interface AnswerVerdict {
  /** UNSPECIFIED where it was accepted. */
  refused: ErrorReason;
  points: number;
  correct: boolean;
  streak: number;
}

type VerdictColumns = Pick<LaneVerdicts, "refused" | "points" | "correct" | "streaks">;
type AnswerColumns = Pick<
  LaneAnswers,
  "playerIds" | "submissionIds" | "choiceLists" | "chosen" | "elapsedMs"
>;

/** Answers as columns; equal lists of choices become one. */
export function toAnswerColumns(answers: readonly Answer[]): AnswerColumns {
  const columns: AnswerColumns = {
    playerIds: [],
    submissionIds: [],
    choiceLists: [],
    chosen: [],
    elapsedMs: [],
  };
  const places = new Map<string, number>();
  for (const { playerId, submissionId, choices, elapsedMs } of answers) {
    const key = JSON.stringify(choices);
    let place = places.get(key);
    if (place === undefined) {
      place = places.size;
      places.set(key, place);
      columns.choiceLists.push({ $typeName: "quiz.v1.ChoiceList", choices });
    }
    columns.playerIds.push(playerId);
    columns.submissionIds.push(submissionId);
    columns.chosen.push(place);
    columns.elapsedMs.push(elapsedMs);
  }
  return columns;
}

/** The answers; a string names the column that does not fit the others. */
export function fromAnswerColumns(columns: AnswerColumns): Answer[] | string {
  const { playerIds, submissionIds, choiceLists, chosen, elapsedMs } = columns;
  if (submissionIds.length !== playerIds.length) return "submission_ids";
  if (chosen.length !== playerIds.length) return "chosen";
  if (elapsedMs.length !== playerIds.length) return "elapsed_ms";
  const answers: Answer[] = [];
  for (const [n, playerId] of playerIds.entries()) {
    const list = choiceLists[chosen[n] ?? -1];
    if (!list) return "chosen";
    const submissionId = submissionIds[n] ?? "";
    answers.push({ playerId, submissionId, choices: list.choices, elapsedMs: elapsedMs[n] ?? 0 });
  }
  return answers;
}

/** Verdicts as columns. */
export function toVerdictColumns(verdicts: readonly AnswerVerdict[]): VerdictColumns {
  return {
    refused: verdicts.map(({ refused }) => refused),
    points: verdicts.map(({ points }) => points),
    correct: verdicts.map(({ correct }) => correct),
    streaks: verdicts.map(({ streak }) => streak),
  };
}

/** The verdicts, as far as every column goes. */
export function fromVerdictColumns(columns: VerdictColumns): AnswerVerdict[] {
  const verdicts: AnswerVerdict[] = [];
  for (const [n, refused] of columns.refused.entries()) {
    const [points, correct, streak] = [columns.points[n], columns.correct[n], columns.streaks[n]];
    if (points === undefined || correct === undefined || streak === undefined) break;
    verdicts.push({ refused, points, correct, streak });
  }
  return verdicts;
}
