/**
 * Wrong options for questions that came without any: drawn from the right answers to the other
 * questions of the same quiz. The same file always gives the same ones, so an import can be repeated.
 */
import { fnv1a } from "@fanfare/proto/addresses";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { withType } from "@fanfare/proto/questions/question-types";
import { textFault, tidy } from "@fanfare/proto/questions/text";
import type { Question } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { looseKey } from "../fold.js";
import { LIMITS } from "../limits.js";
import type { QuestionRow } from "./question-row.js";

const DISTRACTORS_MAX = 3;
/** Candidates that are looked at for one wrong option: a file of one question, asked again and again. */
const STEPS_MAX = 100;

/**
 * Gives options to every row that needs some and notes it. Rows for which no wrong option could be
 * found stay as they are.
 */
export function addDistractors(rows: readonly QuestionRow[]): void {
  if (!rows.some(needsOptions)) return;
  const pool = distinctAnswers(rows);
  const right = answersByQuestion(rows);
  for (const row of rows) {
    if (!needsOptions(row)) continue;
    const { question, answer } = row.question;
    // What another row with the same question calls right can't be wrong here.
    const wrong = pickWrong(pool, right.get(looseKey(question)) ?? new Set(), question);
    if (wrong.length === 0) continue;
    const weight = (option: string) => fnv1a(`${question}\n${option}`);
    const options = [...new Set(answer), ...wrong].sort((a, b) => weight(a) - weight(b));
    row.question = { ...row.question, options };
    row.notes.push(
      `there were no options; ${wrong.length} wrong ones were drawn from the other answers of the quiz`,
    );
  }
}

export function needsOptions({ question }: QuestionRow): boolean {
  return question.options.length === 0 && question.answer.length > 0 && !isTrueFalse(question);
}

interface Candidate {
  key: string;
  text: string;
}

/**
 * The answers that could stand as options, in the order of the file. Of such as may mean the same ("1"
 * and "1.0", "Zürich" and "zurich") one: none of them may stand beside the other as a wrong option.
 */
function distinctAnswers(rows: readonly QuestionRow[]): Candidate[] {
  const byKey = new Map<string, Candidate>();
  for (const { question } of rows) {
    if (isTrueFalse(question)) continue;
    for (const text of question.answer) {
      const key = looseKey(text);
      if (!byKey.has(key) && isOption(text)) byKey.set(key, { key, text });
    }
  }
  return [...byKey.values()];
}

/** The keys of all right answers to the same question. */
function answersByQuestion(rows: readonly QuestionRow[]): ReadonlyMap<string, Set<string>> {
  const byQuestion = new Map<string, Set<string>>();
  for (const { question } of rows) {
    const key = looseKey(question.question);
    const right = byQuestion.get(key) ?? new Set();
    for (const answer of question.answer) right.add(looseKey(answer));
    byQuestion.set(key, right);
  }
  return byQuestion;
}

function isTrueFalse(question: Question): boolean {
  return withType(question).type === QuestionType.TRUE_FALSE;
}

function isOption(text: string): boolean {
  return textFault(tidy(text), { max: LIMITS.OPTION_MAX }) === undefined;
}

function pickWrong(pool: readonly Candidate[], right: ReadonlySet<string>, text: string): string[] {
  const taken = new Set<string>();
  const wrong: string[] = [];
  for (let pick = 0; pick < DISTRACTORS_MAX && pool.length > 0; pick++) {
    const start = fnv1a(`${pick}\n${text}`) % pool.length;
    for (let step = 0; step < Math.min(pool.length, STEPS_MAX); step++) {
      const candidate = pool[(start + step) % pool.length];
      if (!candidate || right.has(candidate.key) || taken.has(candidate.key)) continue;
      taken.add(candidate.key);
      wrong.push(candidate.text);
      break;
    }
  }
  return wrong;
}
