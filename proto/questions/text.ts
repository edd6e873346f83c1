/**
 * How texts of quizzes are cleaned and measured. Bounds count code points after NFC, so that one letter
 * counts the same however it was typed. Two texts are the same where their stored forms are, letter
 * case and all.
 */

/** Control characters, halves of surrogate pairs, and line separators that no keyboard has. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const UNPRINTABLE_BUT_LINE_FEED = /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const UNPRINTABLE_RUNS = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\s]+/gu;
/** Nothing that could be seen: spaces, joiners, fillers. */
const BLANK = /^[\p{Cc}\p{Cf}\p{Z}\u115f\u1160\u3164\uffa0]*$/u;

/** A text of one line in stored form. */
export function tidy(text: string): string {
  return text.normalize("NFC").trim();
}

/** A text that may have several lines (verses, riddles) in stored form. */
export function tidyLines(text: string): string {
  const lines = text.normalize("NFC").replace(/\r\n?/g, "\n").split("\n");
  return lines
    .map((line) => line.trimEnd())
    .join("\n")
    .trim();
}

/** One line of whatever was given: what can't be printed becomes a space. */
export function flatten(text: string): string {
  return tidy(text.replace(UNPRINTABLE_RUNS, " "));
}

/** Whether a text of one line can be shown as it is. */
export function isPrintable(text: string): boolean {
  return !UNPRINTABLE.test(text);
}

export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** The first `max` characters. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  // A character has at most two code units: no need to take a whole file apart.
  return [...text.slice(0, max * 2)].slice(0, max).join("").trimEnd();
}

/** A text as it stands in a message to people. */
export function quoted(text: string): string {
  const short = clip(flatten(text), 60);
  return `"${short}${short.length < flatten(text).length ? "…" : ""}"`;
}

/** What is wrong with a tidied text and what to do; undefined when nothing is. */
export function textFault(
  text: string,
  bounds: { max: number; optional?: boolean; lines?: boolean },
): string | undefined {
  if (text === "" && bounds.optional) return undefined;
  if (BLANK.test(text)) return `is empty; write 1 to ${bounds.max} characters`;
  const unprintable = bounds.lines ? UNPRINTABLE_BUT_LINE_FEED : UNPRINTABLE;
  if (unprintable.test(text)) return "holds control characters; remove them";
  const length = text.length > bounds.max ? lengthOf(text) : text.length;
  if (length > bounds.max) return `has ${length} characters; shorten it to ${bounds.max}`;
  return undefined;
}
