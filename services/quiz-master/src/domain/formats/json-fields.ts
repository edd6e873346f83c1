/** The fields of an object in a file, read as people write them: a text alone for a list, numbers as texts. */
import { quoted } from "@fanfare/proto/questions/text";
import type { JsonNode } from "./positioned-json.js";
import type { TextHabits } from "./text-habits.js";

const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** A field that can't be read: the whole row is left out, with this message as the reason. */
export class FieldError extends Error {
  override name = "FieldError";
}

/** null is not set. */
export class Fields {
  constructor(
    private readonly members: ReadonlyMap<string, JsonNode>,
    readonly habits: TextHabits,
  ) {}

  /** Throws a FieldError where there is anything but a text. */
  text(name: string): string {
    const node = this.#get(name);
    if (node === undefined) return "";
    if ("text" in node) return readText(node, this.habits);
    throw new FieldError(`"${name}" must be a text`);
  }

  /** Empty and noted where there is anything but a text. */
  optionalText(name: string, notes: string[]): string {
    const node = this.#get(name);
    if (node === undefined || "text" in node) return this.text(name);
    notes.push(`"${name}" must be a text; it was left out`);
    return "";
  }

  /** Throws a FieldError where there is anything but texts. */
  texts(name: string): string[] {
    const node = this.#get(name);
    const texts = node === undefined ? [] : textsOf(node, this.habits);
    if (texts) return texts;
    throw new FieldError(`"${name}" must be a text or an array of texts`);
  }

  items(name: string): JsonNode[] {
    return itemsOf(this.#get(name));
  }

  /** Undefined, and noted, where there is no such number. "" is not set. */
  whole(
    name: string,
    { min, max, or }: { min: number; max: number; or?: number },
    notes: string[],
  ): number | undefined {
    const node = this.#get(name);
    const text = node && "text" in node ? node.text.normalize("NFKC").trim() : undefined;
    if (node === undefined || text === "") return undefined;
    const isNumber = node.kind !== "boolean" && text !== undefined && NUMBER.test(text);
    const value = isNumber ? Number(text) : Number.NaN;
    if (Number.isInteger(value) && ((value >= min && value <= max) || value === or)) return value;
    const bounds = `from ${min} to ${max}${or === undefined ? "" : `, or ${or}`}`;
    const found = text === undefined ? "" : `, not ${quoted(text)}`;
    notes.push(`"${name}" must be a whole number ${bounds}${found}; it was left out`);
    return undefined;
  }

  #get(name: string): JsonNode | undefined {
    const node = this.members.get(name);
    return node?.kind === "null" ? undefined : node;
  }
}

/** The texts of an array, or a single one; undefined where there is anything else. */
export function textsOf(node: JsonNode, habits: TextHabits): string[] | undefined {
  const texts = itemsOf(node).map((item) =>
    "text" in item && item.kind !== "null" ? readText(item, habits) : undefined,
  );
  return texts.every((text) => text !== undefined) ? texts : undefined;
}

export function itemsOf(node: JsonNode | undefined): JsonNode[] {
  if (node === undefined) return [];
  return node.kind === "array" ? node.items : [node];
}

/** "QUESTION_TYPE_TRUE_FALSE", "true false" and 3 are the same; undefined for no value of the enum. */
export function byName<T extends number>(
  values: Readonly<Record<string, string | T>>,
  prefix: string,
  given: string,
): T | undefined {
  const name = given
    .normalize("NFKC")
    .trim()
    .toUpperCase()
    .replace(/[\s/-]+/g, "_")
    .replace(prefix, "");
  const value = /^\d+$/.test(name) ? values[String(values[name])] : values[name];
  return typeof value === "number" && Object.hasOwn(values, value) ? value : undefined;
}

function readText(node: JsonNode & { text: string }, habits: TextHabits): string {
  return node.kind === "string" ? habits.read(node.text) : node.text;
}
