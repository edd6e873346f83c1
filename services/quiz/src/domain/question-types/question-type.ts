/**
 * What a question type must know. One file per type; a new type is one more file and one more line
 * in index.ts.
 */
import type { FrozenQuestion, Option } from "@fanfare/proto/quiz/v1/session";
import type { Question } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { faultOfText } from "../text.js";

export interface QuestionRules {
  /** What is wrong with the question as an author wrote it, and what to do; undefined when nothing is. */
  validate(question: Question): { field: string; message: string } | undefined;
  /** Texts of the options in the author's order, and the right ones among them. */
  options(question: Question): { texts: string[]; right: string[] };
  /** Whether the options may be put in another order. */
  readonly shuffles: boolean;
  /** Whether these choices are an answer to the question at all. */
  check(question: FrozenQuestion, choices: readonly string[]): boolean;
  /** Whether they are the right answer. */
  isCorrect(question: FrozenQuestion, choices: readonly string[]): boolean;
}

const OPTIONS_MIN = 2;
const OPTIONS_MAX = 8;
const OPTION_CHARS_MAX = 200;

/** Checks that both choice types share. */
export function validateOptions(
  question: Question,
): { field: string; message: string } | undefined {
  const { options, answer } = question;
  if (options.length < OPTIONS_MIN || options.length > OPTIONS_MAX)
    return { field: "options", message: `give ${OPTIONS_MIN} to ${OPTIONS_MAX} options` };
  const fault = faultOfOptions(options);
  if (fault) return fault;
  if (new Set(options).size !== options.length)
    return { field: "options", message: "two options are the same; change or drop one" };
  if (answer.length === 0) return { field: "answer", message: "name the right option" };
  const stray = answer.find((text) => !options.includes(text));
  if (stray !== undefined)
    return { field: "answer", message: "a right answer is none of the options; spell both alike" };
  return undefined;
}

/** The first option whose text can't be shown. */
export function faultOfOptions(
  options: readonly string[],
): { field: string; message: string } | undefined {
  for (const text of options) {
    const fault = faultOfText(text, { max: OPTION_CHARS_MAX });
    if (fault) return { field: "options", message: `each option ${fault}` };
  }
  return undefined;
}

/** Every choice is offered and named once. */
export function areOffered(options: readonly Option[], choices: readonly string[]): boolean {
  return (
    new Set(choices).size === choices.length &&
    choices.every((choice) => options.some((option) => option.choice === choice))
  );
}
