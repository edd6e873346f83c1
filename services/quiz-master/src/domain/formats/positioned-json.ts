/** A JSON reader that knows the line of every value, and says where and why a text is no JSON. */
import { quoted } from "@fanfare/proto/questions/text";

export type JsonNode = { line: number } & (
  | { kind: "object"; members: Map<string, JsonNode> }
  | { kind: "array"; items: JsonNode[] }
  /** `text` is the string's value, or the literal as it is written. */
  | { kind: "string" | "number" | "boolean" | "null"; text: string }
);

export type ParsedJson =
  | { kind: "parsed"; root: JsonNode }
  | { kind: "broken"; line: number; column: number; message: string };

const DEPTH_MAX = 32;
/** Bounds memory: a file of empty objects takes a hundred times its size. */
const VALUES_MAX = 300_000;
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t]+/y;

/** Accepts exactly what JSON.parse does, within DEPTH_MAX and VALUES_MAX. Never throws. */
export function parseJson(text: string): ParsedJson {
  const reader = new JsonReader(text);
  try {
    return { kind: "parsed", root: reader.readDocument() };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { kind: "broken", ...reader.place(), message: error.message };
  }
}

class JsonError extends Error {
  override name = "JsonError";
}

class JsonReader {
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #values = 0;

  constructor(private readonly text: string) {}

  place(): { line: number; column: number } {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  readDocument(): JsonNode {
    const root = this.#value(0);
    if (this.#peek() !== undefined) throw new JsonError("there is text behind the end of the JSON");
    return root;
  }

  #value(depth: number): JsonNode {
    const next = this.#peek();
    const line = this.#line;
    if (depth > DEPTH_MAX) throw new JsonError(`it is nested deeper than ${DEPTH_MAX} levels`);
    if (++this.#values > VALUES_MAX)
      throw new JsonError(`it holds more than ${VALUES_MAX} values; import it in parts`);
    if (next === undefined) throw new JsonError("it ends too early; a value is missing");
    if (next === '"') return { line, kind: "string", text: this.#string() };
    if (next === "[") return { line, kind: "array", items: this.#items(depth) };
    if (next === "{") return { line, kind: "object", members: this.#members(depth) };
    LITERAL.lastIndex = this.#at;
    const [text] = LITERAL.exec(this.text) ?? [];
    if (text === undefined) throw new JsonError(`${show(next)} can't begin a value`);
    this.#at += text.length;
    if (text === "true" || text === "false") return { line, kind: "boolean", text };
    return { line, kind: text === "null" ? "null" : "number", text };
  }

  #items(depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    this.#list("]", () => items.push(this.#value(depth + 1)));
    return items;
  }

  #members(depth: number): Map<string, JsonNode> {
    const members = new Map<string, JsonNode>();
    this.#list("}", () => {
      if (this.#peek() !== '"') throw new JsonError("a field name in double quotes is missing");
      const name = this.#string();
      if (this.#peek() !== ":") throw new JsonError(`a colon is missing after ${quoted(name)}`);
      this.#at++;
      members.set(name, this.#value(depth + 1));
    });
    return members;
  }

  /** Reads from the opening bracket behind the closing one. */
  #list(end: "]" | "}", readOne: () => void): void {
    this.#at++;
    if (this.#peek() === end) {
      this.#at++;
      return;
    }
    for (;;) {
      readOne();
      const next = this.#peek();
      if (next !== "," && next !== end)
        throw new JsonError(`a comma or ${end} is missing before ${show(next)}`);
      this.#at++;
      if (next === end) return;
      if (this.#peek() === end) throw new JsonError(`remove the comma before the closing ${end}`);
    }
  }

  #string(): string {
    const start = this.#at;
    let end = start;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) throw new JsonError("a closing double quote is missing");
    } while (this.#isEscaped(end, start));
    try {
      const value: string = JSON.parse(this.text.slice(start, end + 1));
      this.#at = end + 1;
      return value;
    } catch {
      throw new JsonError("a text holds a line break or an escape that JSON does not allow");
    }
  }

  #isEscaped(at: number, start: number): boolean {
    let backslashes = 0;
    while (at - 1 - backslashes > start && this.text[at - 1 - backslashes] === "\\") backslashes++;
    return backslashes % 2 === 1;
  }

  /** The next character that is not white space; undefined at the end. */
  #peek(): string | undefined {
    for (;;) {
      const char = this.text[this.#at];
      if (char === "\n" || char === "\r") {
        this.#at++;
        if (char === "\r" && this.text[this.#at] === "\n") this.#at++;
        this.#line++;
        this.#lineStart = this.#at;
      } else if (char === " " || char === "\t") {
        SPACE.lastIndex = this.#at;
        SPACE.test(this.text);
        this.#at = SPACE.lastIndex;
      } else return char;
    }
  }
}

function show(char: string | undefined): string {
  return char === undefined ? "the end" : JSON.stringify(char);
}
