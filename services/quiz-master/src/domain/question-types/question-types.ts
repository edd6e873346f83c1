/** All question types that this version knows. A new one is a file and a line here. */
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { multipleChoice } from "./multiple-choice.js";
import type { QuestionTypeRules } from "./rules.js";
import { singleChoice } from "./single-choice.js";
import { trueFalse } from "./true-false.js";

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
