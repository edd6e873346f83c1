/**
 * Wrong options for questions that came without any: drawn from the right answers to the other
 * questions of the same quiz. The same file always gives the same ones, so an import can be repeated.
 */
import { fnv1a } from "@fanfare/proto/addresses";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { LIMITS } from "../limits.js";
import { comparisonKey, textFault, tidy } from "../text.js";
import { type QuestionRow, withType } from "./question-row.js";

const DISTRACTORS_MAX = 3;

/**
 * Gives options to every row that needs some and notes it. Rows for which no wrong option could be
 * found stay as they are.
 */
export function addDistractors(rows: readonly QuestionRow[]): void {
  const pool = distinctAnswers(rows);
  for (const row of rows) {
    if (!needsOptions(row)) continue;
    const { question, answer } = row.question;
    const wrong = pickWrong(pool, answer, question);
    if (wrong.length === 0) continue;
    const weight = (option: string) => fnv1a(`${question}\n${option}`);
    const options = [...answer, ...wrong].sort((a, b) => weight(a) - weight(b));
    row.question = { ...row.question, options };
    row.notes.push(
      `there were no options; ${wrong.length} wrong ones were drawn from the other answers of the quiz`,
    );
  }
}

export function needsOptions({ question }: QuestionRow): boolean {
  return (
    question.options.length === 0 &&
    question.answer.length > 0 &&
    withType(question).type !== QuestionType.TRUE_FALSE
  );
}

/** The answers that could stand as options, each once, in the order of the file. */
function distinctAnswers(rows: readonly QuestionRow[]): string[] {
  const byKey = new Map<string, string>();
  for (const { question } of rows) {
    if (withType(question).type === QuestionType.TRUE_FALSE) continue;
    for (const answer of question.answer)
      if (!byKey.has(comparisonKey(answer)) && isOption(answer))
        byKey.set(comparisonKey(answer), answer);
  }
  return [...byKey.values()];
}

function isOption(text: string): boolean {
  return textFault(tidy(text), { max: LIMITS.OPTION_MAX }) === undefined;
}

function pickWrong(pool: readonly string[], answer: readonly string[], text: string): string[] {
  const taken = new Set(answer.map(comparisonKey));
  const wrong: string[] = [];
  for (let pick = 0; pick < DISTRACTORS_MAX && pool.length > 0; pick++) {
    const start = fnv1a(`${pick}\n${text}`) % pool.length;
    // At most a few steps: only what is taken already is stepped over.
    for (let step = 0; step <= taken.size; step++) {
      const candidate = pool[(start + step) % pool.length] ?? "";
      if (taken.has(comparisonKey(candidate))) continue;
      taken.add(comparisonKey(candidate));
      wrong.push(candidate);
      break;
    }
  }
  return wrong;
}
