/**
 * Who answers what and when: pure, and the same for the same seed. Choices are planned as the texts
 * of the quiz, as every session shuffles its options anew.
 */
import { QuestionType } from "@fanfare/proto/common/v1/question";
import type { PublicQuestion } from "@fanfare/proto/quiz/v1/session";
import type { Question } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { pickOne, randomStream } from "./random.js";

export interface PlannedAnswer {
  /** Texts of the chosen options; "true" or "false" for true/false. */
  texts: string[];
  /** Part of the round that passes before the answer, 0 to 1. */
  after: number;
}

/** What the players of a game do, by round and player, both from 0. */
export type GamePlan = PlannedAnswer[][];

/** Nobody answers before or after these parts of a round. */
const EARLIEST = 0.05;
const LATEST = 0.8;

export function planGame(seed: number, questions: readonly Question[], players: number): GamePlan {
  const skills = Array.from({ length: players }, (_, player) => skillOf(seed, player));
  return questions.map((question, round) =>
    skills.map((skill, player) =>
      planAnswer(question, skill, randomStream(seed, `round ${round} player ${player}`)),
    ),
  );
}

/** How likely a player is right: some know most, some guess. */
export function skillOf(seed: number, player: number): number {
  return 0.35 + 0.6 * randomStream(seed, `skill ${player}`)();
}

/** One answer: right by skill, and the sooner the better the skill. */
export function planAnswer(
  question: Pick<Question, "type" | "options" | "answer">,
  skill: number,
  random: () => number,
): PlannedAnswer {
  const isRight = random() < skill;
  const after = EARLIEST + (LATEST - EARLIEST) * random() * (1.3 - skill);
  const texts = isRight ? question.answer : wrongTexts(question, random);
  return { texts: [...texts], after: Math.min(after, LATEST) };
}

function wrongTexts(
  { type, options, answer }: Pick<Question, "type" | "options" | "answer">,
  random: () => number,
): string[] {
  if (type === QuestionType.TRUE_FALSE) return [answer[0] === "true" ? "false" : "true"];
  const wrong = options.filter((option) => !answer.includes(option));
  const right = answer.slice(0, type === QuestionType.MULTIPLE_CHOICE ? -1 : 0);
  // All options of a multiple choice may be right: then one too few is the only way to be wrong.
  return wrong.length === 0
    ? right.length > 0
      ? right
      : [...answer]
    : [...right, pickOne(wrong, random)];
}

/** The choices that stand for the planned texts in a session's own order of options. */
export function choicesFor(
  texts: readonly string[],
  { type, options }: Pick<PublicQuestion, "type" | "options">,
): string[] {
  // Shown in any words, but always true first.
  if (type === QuestionType.TRUE_FALSE)
    return options
      .slice(texts[0] === "true" ? 0 : 1)
      .map(({ choice }) => choice)
      .slice(0, 1);
  return options.filter(({ text }) => texts.includes(text)).map(({ choice }) => choice);
}
