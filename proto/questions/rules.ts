/** The seam between questions and their types: each type says in one file what a good question is. */
import type { Question } from "../gen/quizmaster/v1/quiz_master_service_pb.js";
import { QUIZ_LIMITS } from "./limits.js";
import { quoted } from "./text.js";

/** A rule that a question breaks: the field of Question, and a sentence with the way out. */
export interface Breach {
  kind: "invalid";
  field: string;
  message: string;
}

export type CheckedQuestion = { kind: "valid"; question: Question } | Breach;

export interface QuestionTypeRules {
  /** Judges options and answer of a question whose texts are tidy and within their bounds. */
  check(question: Question): CheckedQuestion;
  /** The texts to choose from in the author's order, and the right ones among them. */
  shown(question: Question): { texts: readonly string[]; right: readonly string[] };
  /** Whether players may see the options in another order. */
  readonly shuffles: boolean;
}

export function breach(field: string, message: string): Breach {
  return { kind: "invalid", field, message };
}

/** What is wrong with a set of options that players choose from. */
export function optionsBreach(options: readonly string[]): Breach | undefined {
  const { OPTIONS_MIN, OPTIONS_MAX } = QUIZ_LIMITS;
  if (options.length < OPTIONS_MIN || options.length > OPTIONS_MAX) {
    const found = options.length === 1 ? "is 1 option" : `are ${options.length} options`;
    return breach("options", `there ${found}; give ${OPTIONS_MIN} to ${OPTIONS_MAX}`);
  }
  const repeated = firstRepeated(options);
  if (repeated === undefined) return undefined;
  return breach("options", `the option ${quoted(repeated)} is there twice; make each different`);
}

/**
 * A question whose right answers are some of its options, or the breach that it is not. Texts are the
 * same only where every character is: "Co" is cobalt and "CO" a gas.
 */
export function answeredByOptions(question: Question): CheckedQuestion {
  const faulty = optionsBreach(question.options);
  if (faulty) return faulty;
  const stray = question.answer.find((given) => !question.options.includes(given));
  if (stray !== undefined)
    return breach(
      "answer",
      `the right answer ${quoted(stray)} is none of the options; ${advice(stray, question.options)}`,
    );
  const repeated = firstRepeated(question.answer);
  if (repeated !== undefined)
    return breach("answer", `the right answer ${quoted(repeated)} is there twice; name it once`);
  return { kind: "valid", question };
}

function advice(stray: string, options: readonly string[]): string {
  const near = options.find((option) => option.toLowerCase() === stray.toLowerCase());
  return near === undefined
    ? "correct it or add it to them"
    : `spell it as the option is, ${quoted(near)}, or add it to them`;
}

function firstRepeated(texts: readonly string[]): string | undefined {
  return texts.find((text, at) => texts.indexOf(text) < at);
}
