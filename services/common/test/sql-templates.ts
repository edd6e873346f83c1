/**
 * Finds the SQL statements in a TypeScript source, as the services write them: tagged templates, and others
 * that begin as a statement does.
 */

export interface Template {
  line: number;
  /** The text between the parameters. */
  parts: string[];
}

const STATEMENT = /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/;

/** In no order; those inside of others, too. */
export function sqlTemplates(text: string): Template[] {
  const found: Template[] = [];
  scan(text, 0, found);
  return found;
}

/** Reads code from `at` up to a closing brace that is not its own, or the end; returns where that is. */
function scan(text: string, at: number, found: Template[]): number {
  let depth = 0;
  let before = "";
  for (let i = at; i < text.length; i++) {
    const char = text[i] ?? "";
    if (text.startsWith("//", i)) i = indexOr(text, "\n", i);
    else if (text.startsWith("/*", i)) i = indexOr(text, "*/", i) + 1;
    else if (char === '"' || char === "'") i = endOf(text, i, char);
    else if (char === "/" && /[(,=:[!&|?{};]/.test(before)) i = endOf(text, i, "/");
    else if (char === "`") i = template(text, i, /[\w>]/.test(text[i - 1] ?? ""), found);
    else if (char === "{") depth++;
    else if (char === "}" && depth-- === 0) return i;
    if (/\S/.test(char)) before = char;
  }
  return text.length;
}

/** Reads a template from its first backtick on; returns where its last is. */
function template(text: string, at: number, isTagged: boolean, found: Template[]): number {
  const parts: string[] = [];
  let part = "";
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === "`") {
      parts.push(part);
      if (isTagged || STATEMENT.test(parts[0] ?? ""))
        found.push({ line: text.slice(0, at).split("\n").length, parts });
      return i;
    }
    if (text[i] === "\\") i++;
    else if (text.startsWith("${", i)) {
      i = scan(text, i + 2, found);
      parts.push(part);
      part = "";
      continue;
    }
    part += text[i];
  }
  return text.length;
}

/** Where the next unescaped `quote` is. */
function endOf(text: string, at: number, quote: string): number {
  let i = at + 1;
  for (; i < text.length && text[i] !== quote; i++) if (text[i] === "\\") i++;
  return i;
}

function indexOr(text: string, wanted: string, at: number): number {
  const index = text.indexOf(wanted, at);
  return index === -1 ? text.length : index;
}
