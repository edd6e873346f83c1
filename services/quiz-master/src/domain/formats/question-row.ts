/** One row of a file on its way to a question: mended where that is safe, else left out with a reason. */
import { QuestionType } from "@fanfare/proto/common/v1/question";
import type { Question } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { TRUE_FALSE_ANSWERS } from "../question-types/true-false.js";
import { checkQuestion } from "../quiz.js";
import { comparisonKey, quoted } from "../text.js";
import type { FaultList, RowPlace } from "./fault-list.js";

export interface QuestionRow {
  place: RowPlace;
  /** As read; a type that is not set is inferred. */
  question: Question;
  /** What was changed so far, for people. */
  notes: string[];
}

/** The question that a row holds; undefined when it was left out. Every change is reported. */
export function settleRow(row: QuestionRow, faults: FaultList): Question | undefined {
  const checked = checkQuestion(withType(withDistinctOptions(row)));
  if (checked.kind === "invalid") {
    faults.addLeftOut(row.place, checked.message);
    return undefined;
  }
  if (row.notes.length > 0) faults.addMended(row.place, row.notes.join("; "));
  return checked.question;
}

/** True or false where answer and options say so, else single choice, as quiz_master_service.proto has it. */
export function withType(question: Question): Question {
  if (question.type !== QuestionType.UNSPECIFIED) return question;
  const texts = question.options.length > 0 ? question.options : question.answer;
  const keys = new Set(texts.map(comparisonKey));
  const isTrueFalse =
    [...keys].every((key) => TRUE_FALSE_ANSWERS.some((word) => word === key)) &&
    texts.length === (question.options.length > 0 ? 2 : 1);
  return isTrueFalse
    ? { ...question, type: QuestionType.TRUE_FALSE, options: [] }
    : { ...question, type: QuestionType.SINGLE_CHOICE };
}

/** Drops empty and repeated options: the others still say what the row says. */
function withDistinctOptions({ question, notes }: QuestionRow): Question {
  const byKey = new Map<string, string>();
  let dropped: string | undefined;
  for (const option of question.options) {
    const key = comparisonKey(option);
    if (key === "" || byKey.has(key)) dropped ??= option;
    else byKey.set(key, option);
  }
  const count = question.options.length - byKey.size;
  if (count === 1) notes.push(`the empty or repeated option ${quoted(dropped ?? "")} was dropped`);
  if (count > 1) notes.push(`${count} empty or repeated options were dropped`);
  return { ...question, options: [...byKey.values()] };
}
