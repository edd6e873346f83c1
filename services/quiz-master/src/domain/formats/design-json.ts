/**
 * The design document's JSON: one quiz or an array of {title, tags, questions: [{question, answer,
 * media}]}, with the other fields of Question where they are known. Reads what people write by hand:
 * an answer alone or in an array, numbers as texts, media as bare references.
 */

import { type QuizContent, sizeFault } from "@fanfare/proto/questions/check-quiz";
import { checkTags, nearestTag } from "@fanfare/proto/questions/tags";
import { clip, flatten, isPrintable, lengthOf, quoted, tidy } from "@fanfare/proto/questions/text";
import type { Question } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { LIMITS } from "../limits.js";
import { readQuestionRow } from "./design-json-question.js";
import { addDistractors, needsOptions } from "./distractors.js";
import { FaultList, placeOf, type RowPlace } from "./fault-list.js";
import { type ImportedFile, type ImportOptions, inParts, playableCount } from "./imported-file.js";
import { textsOf } from "./json-fields.js";
import { type JsonNode, parseJson } from "./positioned-json.js";
import { type QuestionRow, settleRow } from "./question-row.js";
import { decodeUtf8, utf8Fault } from "./text-decoding.js";
import { TextHabits } from "./text-habits.js";
import { UnknownFields } from "./unknown-fields.js";

/** Known, and the server's: a quiz as GetQuiz gives it can be imported. */
const SERVER_FIELDS = [
  "quiz_id",
  "quizId",
  "version",
  "author",
  "created_at",
  "createdAt",
  "updated_at",
  "updatedAt",
];
const QUIZ_FIELDS = new Set(["title", "tags", "questions", ...SERVER_FIELDS]);

export function readDesignJson(content: Uint8Array, options: ImportOptions): ImportedFile {
  const faults = new FaultList();
  const fault = utf8Fault(content);
  if (fault !== undefined) return unreadable(faults, fault);
  const parsed = parseJson(decodeUtf8(content) ?? "");
  if (parsed.kind === "broken") {
    const { line, column, message } = parsed;
    return unreadable(faults, `the file is not JSON: line ${line}, column ${column}: ${message}`);
  }
  const { root } = parsed;
  if (root.kind !== "object" && root.kind !== "array")
    return unreadable(
      faults,
      'the file must hold a quiz, {"title": …, "questions": […]}, or an array of them',
    );
  const reader = new QuizReader(faults, options);
  const quizzes = (root.kind === "array" ? root.items : [root]).flatMap((node) =>
    reader.read(node),
  );
  return { quizzes, faults };
}

function unreadable(faults: FaultList, why: string): ImportedFile {
  return { quizzes: [], faults, unreadable: why };
}

class QuizReader {
  readonly #unknown: UnknownFields;
  readonly #decodesEntities: boolean;

  constructor(
    private readonly faults: FaultList,
    private readonly options: ImportOptions,
  ) {
    this.#unknown = new UnknownFields(faults);
    this.#decodesEntities = options.decodesEntities ?? false;
  }

  read(node: JsonNode): QuizContent[] {
    const place = placeOf(node.line, node.kind === "object" ? titleOf(node.members) : "");
    if (node.kind !== "object") {
      this.faults.addLostQuiz(place, 'a quiz must be an object with "title" and "questions"');
      return [];
    }
    const { members } = node;
    this.#unknown.report(members, QUIZ_FIELDS, place);
    const habits = new TextHabits(this.#decodesEntities);
    const title = this.#title(habits.read(titleOf(members)), place);
    const list = members.get("questions");
    const items = list?.kind === "array" ? list.items : [];
    const why =
      title === undefined
        ? 'the quiz has no title; add "title", or send a title with the import'
        : items.length === 0
          ? 'the quiz has no questions; add "questions": [{"question": …, "answer": …}]'
          : undefined;
    if (title === undefined || why !== undefined) {
      const lost = items.length > 0 ? ` (its ${items.length} questions were left out)` : "";
      this.faults.addLostQuiz(place, `${why}${lost}`);
      return [];
    }
    const tags = this.#tags(members.get("tags"), habits, place);
    this.faults.addMended(place, ...habits.notes());
    return this.#parts({ title, tags, questions: this.#questions(items) }, place);
  }

  /** Cut where it is too long; left out where a session could not hold a part of it. */
  #parts(quiz: QuizContent, place: RowPlace): QuizContent[] {
    const { questionsPerQuiz } = this.options;
    const parts = inParts(quiz, questionsPerQuiz);
    const fault = parts.map(({ questions }) => sizeFault(questions)).find((each) => each);
    if (fault) {
      const advice = `import it with questions_per_quiz ${playableCount(quiz.questions)}, which makes several quizzes of it`;
      this.faults.addLostQuiz(place, `${fault.message}; or ${advice}`, fault.limit);
      return [];
    }
    if (parts.length > 1)
      this.faults.addMended(
        place,
        `a quiz has at most ${questionsPerQuiz} questions; this one became ${parts.length} quizzes`,
      );
    return parts;
  }

  #title(given: string, place: RowPlace): string | undefined {
    const tidied = tidy(given);
    const title = isPrintable(tidied) ? tidied : flatten(given);
    if (title === "") return this.options.title || undefined;
    if (title !== tidied)
      this.faults.addMended(place, "the title held control characters, which became spaces");
    const length = lengthOf(title);
    if (length <= LIMITS.TITLE_MAX) return title;
    this.faults.addMended(
      place,
      `the title has ${length} characters and was cut to ${LIMITS.TITLE_MAX}`,
    );
    return clip(title, LIMITS.TITLE_MAX);
  }

  #tags(node: JsonNode | undefined, habits: TextHabits, place: RowPlace): string[] {
    const given = node === undefined || node.kind === "null" ? [] : textsOf(node, habits);
    if (given === undefined)
      this.faults.addMended(place, 'the tags were dropped; write "tags": ["one", "another"]');
    const mended = (given ?? []).map((tag) => this.#tag(tag, place)).filter((tag) => tag !== "");
    const tags = [...new Set([...this.options.tags, ...mended])];
    if (tags.length > LIMITS.TAGS_MAX)
      this.faults.addMended(
        place,
        `there are ${tags.length} tags; the first ${LIMITS.TAGS_MAX} were kept`,
      );
    return tags.slice(0, LIMITS.TAGS_MAX);
  }

  #tag(given: string, place: RowPlace): string {
    const checked = checkTags([given]);
    if (checked.kind === "valid") return checked.tags[0] ?? "";
    const near = nearestTag(given);
    const outcome = near === "" ? "was dropped" : `became ${quoted(near)}`;
    this.faults.addMended(place, `the tag ${quoted(given)} ${outcome}`);
    return near;
  }

  #questions(items: readonly JsonNode[]): Question[] {
    const rows = items
      .map((node) =>
        readQuestionRow(node, {
          faults: this.faults,
          unknown: this.#unknown,
          decodesEntities: this.#decodesEntities,
        }),
      )
      .filter((row) => row !== undefined);
    addDistractors(rows);
    return rows.map((row) => this.#settle(row)).filter((question) => question !== undefined);
  }

  #settle(row: QuestionRow): Question | undefined {
    if (!needsOptions(row)) return settleRow(row, this.faults);
    this.faults.addLeftOut(
      row.place,
      'the question has no options and its quiz no other answer to draw wrong ones from; add "options"',
    );
    return undefined;
  }
}

function titleOf(members: ReadonlyMap<string, JsonNode>): string {
  const node = members.get("title");
  return node && "text" in node && node.kind !== "null" ? node.text : "";
}
