/** One question of the design document's JSON, as people write it. */
import { create } from "@bufbuild/protobuf";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { tidyQuestion } from "@fanfare/proto/questions/check-quiz";
import { clip, quoted, textFault, tidyLines } from "@fanfare/proto/questions/text";
import { trueOrFalse } from "@fanfare/proto/questions/true-false";
import { type Question, QuestionSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { LIMITS } from "../limits.js";
import { MEDIA_FIELDS, readMediaList } from "./design-json-media.js";
import { type FaultList, placeOf } from "./fault-list.js";
import { byName, FieldError, Fields, itemsOf } from "./json-fields.js";
import type { JsonNode } from "./positioned-json.js";
import type { QuestionRow } from "./question-row.js";
import { TextHabits } from "./text-habits.js";
import type { UnknownFields } from "./unknown-fields.js";

const FIELDS = new Set([
  "type",
  "question",
  "options",
  "answer",
  "media",
  "seconds",
  "points",
  "penalty",
  "explanation",
]);
/** What people write for true and false where the type says that it must be one of them. */
const TRUE = new Set(["t", "yes", "y", "1"]);
const FALSE = new Set(["f", "no", "n", "0"]);

/** The row of a question, not yet judged; undefined when it could not be read and was reported. */
export function readQuestionRow(
  node: JsonNode,
  { faults, unknown, decodesEntities }: Reading,
): QuestionRow | undefined {
  const members = node.kind === "object" ? node.members : undefined;
  const text = members ? members.get("question") : node;
  const place = placeOf(node.line, text && "text" in text ? text.text : "");
  if (!members) {
    faults.addLeftOut(place, 'a question must be an object with "question" and "answer"');
    return undefined;
  }
  const habits = new TextHabits(decodesEntities);
  const notes: string[] = [];
  try {
    const question = readQuestion(new Fields(members, habits), notes);
    unknown.report(members, FIELDS, place);
    for (const file of itemsOf(members.get("media")))
      if (file.kind === "object") unknown.report(file.members, MEDIA_FIELDS, place);
    const optionLines = itemsOf(members.get("options")).map(({ line }) => line);
    return { place, question, optionLines, notes: [...habits.notes(), ...notes] };
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    faults.addLeftOut(place, error.message);
    return undefined;
  }
}

export interface Reading {
  faults: FaultList;
  unknown: UnknownFields;
  decodesEntities: boolean;
}

/** What the question can't do without throws; of the rest what can't be used is left out and noted. */
function readQuestion(fields: Fields, notes: string[]): Question {
  const type = typeOf(fields.text("type"));
  const { SECONDS_MIN, SECONDS_MAX, POINTS_MAX } = LIMITS;
  const seconds = fields.whole("seconds", { min: SECONDS_MIN, max: SECONDS_MAX, or: 0 }, notes);
  const points = fields.whole("points", { min: 0, max: POINTS_MAX }, notes);
  const question = tidyQuestion(
    create(QuestionSchema, {
      type,
      question: fields.text("question"),
      options: fields.texts("options"),
      answer: fields.texts("answer"),
      media: readMediaList(fields.items("media"), fields.habits, notes),
      seconds: seconds ?? 0,
      ...(points === undefined ? {} : { points }),
      penalty: fields.whole("penalty", { min: 0, max: POINTS_MAX }, notes) ?? 0,
      explanation: explanationOf(fields, notes),
    }),
  );
  return withOddBoolean(question, notes);
}

function typeOf(given: string): QuestionType {
  if (given.trim() === "") return QuestionType.UNSPECIFIED;
  const type = byName(QuestionType, "QUESTION_TYPE_", given);
  if (type !== undefined) return type;
  const known = "QUESTION_TYPE_SINGLE_CHOICE, _MULTIPLE_CHOICE and _TRUE_FALSE";
  throw new FieldError(`the type ${quoted(given)} is not known; there are ${known}`);
}

function explanationOf(fields: Fields, notes: string[]): string {
  const given = fields.optionalText("explanation", notes);
  const text = tidyLines(given);
  const max = LIMITS.EXPLANATION_MAX;
  const bounds = { max, lines: true, optional: true };
  const fault = textFault(text, bounds);
  if (!fault) return text;
  const short = clip(text, max);
  if (textFault(short, bounds)) {
    notes.push(`the explanation ${fault}; it was left out`);
    return "";
  }
  notes.push(`the explanation was cut to ${max} characters`);
  return short;
}

/** A statement may be answered by yes, T or 1 too. */
function withOddBoolean(question: Question, notes: string[]): Question {
  const { type, options, answer } = question;
  const [given] = answer;
  if (type !== QuestionType.TRUE_FALSE || options.length > 0) return question;
  if (given === undefined || answer.length > 1 || trueOrFalse(given)) return question;
  const word = given.toLowerCase();
  const meant = TRUE.has(word) ? "true" : FALSE.has(word) ? "false" : undefined;
  if (meant === undefined) return question;
  notes.push(`the answer ${quoted(given)} was read as ${meant}`);
  return { ...question, answer: [meant] };
}
