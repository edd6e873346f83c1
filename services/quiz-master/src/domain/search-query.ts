/**
 * What people type to find quizzes: words, "phrases", -without, one or another. Words are found in any case,
 * with or without accents, and from three letters on in the midst of longer ones (PostgreSQL's web search
 * syntax, over texts as fold.ts makes them).
 */
import { fold } from "./fold.js";
import { gramsOf, isUnspaced } from "./grams.js";

/** A part of a searchable text, and the pieces by which the index finds it. */
export interface Needle {
  text: string;
  grams: readonly number[];
}

/** Holds all of `with` and none of `without`. */
export interface Alternative {
  with: readonly Needle[];
  without: readonly Needle[];
}

const TOKENS = /(-?)(?:"([^"]*)"?|([^\s"]+))/g;
/** Letters that a word needs to be found inside of others: "ai" would be found in rain and Spain. */
const PART_MIN = 3;

/** A text as it is searched: each line a text of its own, words between single spaces. */
export function searchable(...texts: readonly string[]): string {
  return texts.map((text) => ` ${fold(text)} `).join("\n");
}

/** One of these must hold; none where there is nothing in the text to look for. */
export function parseSearch(text: string): Alternative[] {
  const alternatives: { with: Needle[]; without: Needle[] }[] = [{ with: [], without: [] }];
  for (const [, minus, phrase, word] of text.normalize("NFKC").matchAll(TOKENS)) {
    if (minus === "" && word?.toLowerCase() === "or") {
      alternatives.push({ with: [], without: [] });
      continue;
    }
    const folded = fold(phrase ?? word ?? "");
    if (folded === "") continue;
    if (minus === "-") alternatives.at(-1)?.without.push(needle(whole(folded)));
    else alternatives.at(-1)?.with.push(needle(part(folded)));
  }
  return alternatives.filter((each) => each.with.length + each.without.length > 0);
}

function needle(text: string): Needle {
  return { text, grams: gramsOf(text) };
}

/** Inside a word where it is long enough, else at the beginning of one, a single letter as a word. */
function part(folded: string): string {
  const [first = ""] = folded;
  if (isUnspaced(first)) return folded;
  const length = [...folded].length;
  if (length === 1) return ` ${folded} `;
  return length < PART_MIN || folded.includes(" ") ? ` ${folded}` : folded;
}

/** What is not wanted is not wanted as a word: -java leaves JavaScript. */
function whole(folded: string): string {
  return isUnspaced(folded) ? folded : ` ${folded} `;
}
