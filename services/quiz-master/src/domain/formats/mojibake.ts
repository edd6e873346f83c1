/**
 * Finds texts that were UTF-8 once and were read as Windows-1252 or Latin-1 by somebody's tool: "â€™" for
 * "’", "Ã©" for "é", once or several times over. A finding is for people to judge; nothing is changed.
 */

/** What 0x80 to 0x9F are in Windows-1252, by place; a space where nothing is. */
const C1 = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";
const RUNS = new RegExp(`[\\u0080-\\u00ff${C1.replaceAll(" ", "")}]{2,}`, "gu");
const SEQUENCES = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g;
/** Beginnings that no honest text has: typographic signs, byte order marks, emoji, Western letters. */
const SURE = /^(?:\xe2(?:\x80|\x82|\x84)|\xef\xbb\xbf|\xef\xbf\xbd|\xf0\x9f|[\xc2\xc3])/;
/** Letters of Central Europe, unless a closing sign makes it the end of an honest word ("Ä…"). */
const LIKELY = /^[\xc4\xc5][^\x85\x91-\x97\x9b\xa0\xab\xb0\xb2\xb3\xb9\xbb]/;
/** "AMANHÃ”": a word in capitals and the quotation mark behind it. */
const CLOSING = /^\xc3[\x85\x91-\x97\x9b\xa0\xbb]/;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

export interface Mojibake {
  /** As it stands. */
  seen: string;
  /** What it was before. */
  meant: string;
}

/** The first sign of it; undefined where there is none. */
export function findMojibake(text: string): Mojibake | undefined {
  for (const { 0: run, index } of text.matchAll(RUNS)) {
    const found = inRun(run, text.slice(0, index), text.slice(index + run.length));
    if (found) return found;
  }
  return undefined;
}

function inRun(run: string, before: string, after: string): Mojibake | undefined {
  const bytes = Array.from(run, byteOf).join("");
  let previous: { sign: Mojibake; end: number } | undefined;
  for (const { 0: sequence, index } of bytes.matchAll(SEQUENCES)) {
    const meant = decoded(sequence);
    if (meant === undefined) continue;
    const end = index + sequence.length;
    const sign = { seen: run.slice(index, end), meant };
    const isWordEnd =
      CLOSING.test(sequence) &&
      /\p{Lu}$/u.test(before + run.slice(0, index)) &&
      !/^\p{L}/u.test(run.slice(end) + after);
    if ((SURE.test(sequence) && !isWordEnd) || LIKELY.test(sequence)) return sign;
    // Letters of other scripts come in words: two of them side by side are no chance.
    if (previous?.end === index)
      return { seen: previous.sign.seen + sign.seen, meant: previous.sign.meant + meant };
    previous = { sign, end };
  }
  return undefined;
}

/** The byte that Windows-1252, or Latin-1, reads as this character, as a character of that code. */
function byteOf(char: string): string {
  const at = C1.indexOf(char);
  return at < 0 ? char : String.fromCharCode(0x80 + at);
}

function decoded(sequence: string): string | undefined {
  try {
    return UTF8.decode(Buffer.from(sequence, "latin1"));
  } catch {
    return undefined;
  }
}
