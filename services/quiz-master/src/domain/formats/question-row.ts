/** One row of a file on its way to a question: mended where that is safe, else left out with a reason. */
import { checkQuestion, tidyQuestion } from "@fanfare/proto/questions/check-quiz";
import { quoted } from "@fanfare/proto/questions/text";
import type { Question } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type { FaultList, RowPlace } from "./fault-list.js";

export interface QuestionRow {
  place: RowPlace;
  /** As read; a type that is not set is inferred. */
  question: Question;
  /** Where its options stand, in their order, where the file's form tells. */
  optionLines?: readonly number[];
  /** What was changed so far, or looks wrong, for people. */
  notes: string[];
}

/** The question that a row holds; undefined when it was left out. Every change is reported. */
export function settleRow(row: QuestionRow, faults: FaultList): Question | undefined {
  const notes = [...row.notes];
  const checked = checkQuestion(withoutRepeats(row, notes));
  if (checked.kind === "invalid") {
    // What was dropped may be why too few are left.
    const mended = notes.length > 0 ? ` (${notes.join("; ")})` : "";
    faults.addLeftOut(row.place, `${checked.message}${mended}`);
    return undefined;
  }
  faults.addMended(row.place, ...notes);
  return checked.question;
}

/**
 * Drops options that are empty or there already, character by character, and right answers that were
 * named before: the others still say what the row says.
 */
function withoutRepeats({ question, optionLines }: QuestionRow, notes: string[]): Question {
  const tidy = tidyQuestion(question);
  const options = new Set<string>();
  const dropped: string[] = [];
  for (const [index, option] of tidy.options.entries()) {
    const line = optionLines?.[index];
    if (option === "" || options.has(option))
      dropped.push(`${quoted(option)}${line === undefined ? "" : ` (line ${line})`}`);
    else options.add(option);
  }
  const answer = new Set(tidy.answer);
  if (dropped.length === 1) notes.push(`the empty or repeated option ${dropped[0]} was dropped`);
  if (dropped.length > 1)
    notes.push(`${dropped.length} empty or repeated options were dropped: ${dropped.join(", ")}`);
  if (answer.size < tidy.answer.length)
    notes.push("a right answer was named twice and is kept once");
  return { ...tidy, options: [...options], answer: [...answer] };
}
