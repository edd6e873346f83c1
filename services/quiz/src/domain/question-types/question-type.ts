/**
 * What a session must know of a question type; what a good question is, the rules shared with the bank
 * say (proto/questions). One file per type; a new type is one more file and one more line in index.ts.
 */
import type { FrozenQuestion, Option } from "@fanfare/proto/quiz/v1/session";

export interface QuestionRules {
  /** Whether these choices are an answer to the question at all. */
  check(question: FrozenQuestion, choices: readonly string[]): boolean;
  /** Whether they are the right answer. */
  isCorrect(question: FrozenQuestion, choices: readonly string[]): boolean;
}

/** Every choice is offered and named once. */
export function areOffered(options: readonly Option[], choices: readonly string[]): boolean {
  return (
    new Set(choices).size === choices.length &&
    choices.every((choice) => options.some((option) => option.choice === choice))
  );
}
