/** One question of the design document's JSON, as people write it. */
import { create } from "@bufbuild/protobuf";
import {
  type Media,
  MediaKind,
  MediaSchema,
  QuestionType,
} from "@fanfare/proto/common/v1/question";
import { QuestionSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { mediaFromReference } from "../media.js";
import { quoted } from "../text.js";
import { type FaultList, placeOf } from "./fault-list.js";
import type { JsonNode } from "./positioned-json.js";
import type { QuestionRow } from "./question-row.js";
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
const MEDIA_FIELDS = new Set(["kind", "url", "description"]);
const UINT32_MAX = 4_294_967_295;

/** A field that can't be read: the whole row is left out, with this message as the reason. */
class FieldError extends Error {
  override name = "FieldError";
}

/** The row of a question, not yet judged; undefined when it could not be read and was reported. */
export function readQuestionRow(
  node: JsonNode,
  faults: FaultList,
  unknown: UnknownFields,
): QuestionRow | undefined {
  const members = node.kind === "object" ? node.members : undefined;
  const text = members ? members.get("question") : node;
  const place = placeOf(node.line, text && "text" in text ? text.text : "");
  if (!members) {
    faults.addLeftOut(place, 'a question must be an object with "question" and "answer"');
    return undefined;
  }
  try {
    const question = readQuestion(new Fields(members));
    unknown.report(members, FIELDS, place);
    for (const file of itemsOf(members.get("media")))
      if (file.kind === "object") unknown.report(file.members, MEDIA_FIELDS, place);
    return { place, question, notes: [] };
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    faults.addLeftOut(place, error.message);
    return undefined;
  }
}

/** The texts of an array, or a single one; undefined where there is anything else. */
export function textsOf(node: JsonNode): string[] | undefined {
  const texts = itemsOf(node).map((item) =>
    "text" in item && item.kind !== "null" ? item.text : undefined,
  );
  return texts.every((text) => text !== undefined) ? texts : undefined;
}

function readQuestion(fields: Fields) {
  return create(QuestionSchema, {
    type: typeOf(fields.text("type")),
    question: fields.text("question"),
    options: fields.texts("options"),
    answer: fields.texts("answer"),
    media: fields.items("media").map(readMedia),
    seconds: fields.whole("seconds") ?? 0,
    ...optional("points", fields.whole("points")),
    penalty: fields.whole("penalty") ?? 0,
    explanation: fields.text("explanation"),
  });
}

function readMedia(node: JsonNode): Media {
  if (node.kind === "string") return mediaFromReference(node.text);
  if (node.kind !== "object")
    throw new FieldError('media must be references, or {"kind", "url", "description"}');
  const fields = new Fields(node.members);
  const media = mediaFromReference(fields.text("url"));
  const kind = fields.text("kind");
  return create(MediaSchema, {
    ...media,
    kind: kind === "" ? media.kind : kindOf(kind),
    description: fields.text("description"),
  });
}

function typeOf(given: string): QuestionType {
  if (given === "") return QuestionType.UNSPECIFIED;
  const type = byName(QuestionType, "QUESTION_TYPE_", given);
  if (type) return type;
  const known = "QUESTION_TYPE_SINGLE_CHOICE, _MULTIPLE_CHOICE and _TRUE_FALSE";
  throw new FieldError(`the type ${quoted(given)} is not known; there are ${known}`);
}

function kindOf(given: string): MediaKind {
  const kind = byName(MediaKind, "MEDIA_KIND_", given);
  if (kind) return kind;
  throw new FieldError(`the media kind ${quoted(given)} is not known; say IMAGE, AUDIO or VIDEO`);
}

/** "QUESTION_TYPE_TRUE_FALSE", "true false" and 3 are the same; undefined for no value of the enum. */
function byName<T extends number>(
  values: Readonly<Record<string, string | T>>,
  prefix: string,
  given: string,
): T | undefined {
  const name = given
    .trim()
    .toUpperCase()
    .replace(/[\s-]+/g, "_")
    .replace(prefix, "");
  const value = /^\d+$/.test(name) ? values[String(values[name])] : values[name];
  return typeof value === "number" && Object.hasOwn(values, value) ? value : undefined;
}

/** The fields of one object; a reader throws FieldError for a value of another kind. null is unset. */
class Fields {
  constructor(private readonly members: ReadonlyMap<string, JsonNode>) {}

  text(name: string): string {
    const node = this.#get(name);
    if (node === undefined) return "";
    if ("text" in node) return node.text;
    throw new FieldError(`"${name}" must be a text`);
  }

  texts(name: string): string[] {
    const texts = textsOf(this.#get(name) ?? { line: 0, kind: "array", items: [] });
    if (texts) return texts;
    throw new FieldError(`"${name}" must be a text or an array of texts`);
  }

  items(name: string): JsonNode[] {
    return itemsOf(this.#get(name));
  }

  whole(name: string): number | undefined {
    const node = this.#get(name);
    if (node === undefined) return undefined;
    const value = node.kind === "number" ? Number(node.text) : Number.NaN;
    if (Number.isInteger(value) && value >= 0 && value <= UINT32_MAX) return value;
    const found = "text" in node ? `, not ${quoted(node.text)}` : "";
    throw new FieldError(`"${name}" must be a whole number from 0 up${found}`);
  }

  #get(name: string): JsonNode | undefined {
    const node = this.members.get(name);
    return node?.kind === "null" ? undefined : node;
  }
}

function itemsOf(node: JsonNode | undefined): JsonNode[] {
  if (node === undefined) return [];
  return node.kind === "array" ? node.items : [node];
}

function optional<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: T });
}
