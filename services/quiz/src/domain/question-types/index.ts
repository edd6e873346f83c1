/** The rules of each question type. */
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { multipleChoice } from "./multiple-choice.js";
import type { QuestionRules } from "./question-type.js";
import { singleChoice } from "./single-choice.js";
import { trueFalse } from "./true-false.js";

const RULES: Partial<Record<QuestionType, QuestionRules>> = {
  [QuestionType.SINGLE_CHOICE]: singleChoice,
  [QuestionType.MULTIPLE_CHOICE]: multipleChoice,
  [QuestionType.TRUE_FALSE]: trueFalse,
};

/** Undefined for a type that this version does not know. */
export function rulesOf(type: QuestionType): QuestionRules | undefined {
  return RULES[type];
}
