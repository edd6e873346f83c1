/** All question types that this version knows. A new one is a file and a line here. */
import { QuestionType } from "../gen/common/v1/question_pb.js";
import type { Question } from "../gen/quizmaster/v1/quiz_master_service_pb.js";
import { multipleChoice } from "./multiple-choice.js";
import type { QuestionTypeRules } from "./rules.js";
import { singleChoice } from "./single-choice.js";
import { trueFalse, trueOrFalse } from "./true-false.js";

const RULES: Readonly<Record<Exclude<QuestionType, QuestionType.UNSPECIFIED>, QuestionTypeRules>> =
  {
    [QuestionType.SINGLE_CHOICE]: singleChoice,
    [QuestionType.MULTIPLE_CHOICE]: multipleChoice,
    [QuestionType.TRUE_FALSE]: trueFalse,
  };

/** Undefined for a type that is not set, or of a newer version. */
export function rulesOf(type: QuestionType): QuestionTypeRules | undefined {
  return (RULES as Partial<Record<QuestionType, QuestionTypeRules>>)[type];
}

/** A type that is not set is inferred: true or false where options and answer say so, else single choice. */
export function withType(question: Question): Question {
  if (question.type !== QuestionType.UNSPECIFIED) return question;
  return saysTrueOrFalse(question)
    ? { ...question, type: QuestionType.TRUE_FALSE, options: [] }
    : { ...question, type: QuestionType.SINGLE_CHOICE };
}

/** Both words to choose from, or no options and one of the words as the answer. */
function saysTrueOrFalse({ options, answer }: Question): boolean {
  const texts = options.length > 0 ? options : answer;
  const words = new Set(texts.map(trueOrFalse));
  const count = options.length > 0 ? 2 : 1;
  return !words.has(undefined) && words.size === count && texts.length === count;
}
