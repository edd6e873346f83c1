/** The seam between questions and their types: each type says in one file what a good question is. */
import type { Question } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { LIMITS } from "../limits.js";
import { comparisonKey, quoted } from "../text.js";

/** A rule that a question breaks: the field of Question, and a sentence with the way out. */
export interface Breach {
  kind: "invalid";
  field: string;
  message: string;
}

export type CheckedQuestion = { kind: "valid"; question: Question } | Breach;

export interface QuestionTypeRules {
  /**
   * Judges options and answer of a question whose texts are tidy and within their bounds. A valid
   * one comes back as it is stored: the answer spelled as its option is.
   */
  check(question: Question): CheckedQuestion;
}

export function breach(field: string, message: string): Breach {
  return { kind: "invalid", field, message };
}

/** What is wrong with a set of options that players choose from. */
export function optionsBreach(options: readonly string[]): Breach | undefined {
  const { OPTIONS_MIN, OPTIONS_MAX } = LIMITS;
  if (options.length < OPTIONS_MIN || options.length > OPTIONS_MAX) {
    const found = options.length === 1 ? "is 1 option" : `are ${options.length} options`;
    return breach("options", `there ${found}; give ${OPTIONS_MIN} to ${OPTIONS_MAX}`);
  }
  const repeated = firstRepeated(options);
  if (repeated === undefined) return undefined;
  return breach("options", `the option ${quoted(repeated)} is there twice; make each different`);
}

/** A question whose right answers are some of its options, or the breach that it is not. */
export function answeredByOptions(question: Question): CheckedQuestion {
  const faulty = optionsBreach(question.options);
  if (faulty) return faulty;
  const byKey = new Map(question.options.map((option) => [comparisonKey(option), option]));
  const answer: string[] = [];
  for (const given of question.answer) {
    const option = byKey.get(comparisonKey(given));
    if (option === undefined)
      return breach(
        "answer",
        `the right answer ${quoted(given)} is none of the options; correct it or add it to them`,
      );
    answer.push(option);
  }
  const repeated = firstRepeated(answer);
  if (repeated !== undefined)
    return breach("answer", `the right answer ${quoted(repeated)} is there twice; name it once`);
  return { kind: "valid", question: { ...question, answer } };
}

function firstRepeated(texts: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return texts.find((text) => {
    const key = comparisonKey(text);
    return seen.has(key) || !seen.add(key);
  });
}
