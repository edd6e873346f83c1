/**
 * The pieces by which the index finds a part of a text: three characters each, of scripts that put no
 * spaces between words (歴史) one and two. What holds a needle holds all of the needle's pieces; the other
 * way round is not sure, so what the index finds is compared with the text itself.
 */

const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー]/u;

export function isUnspaced(char: string): boolean {
  return UNSPACED.test(char);
}

/** Each piece once, as a number of 32 bits; pieces never go over the end of a line. */
export function gramsOf(text: string): number[] {
  const grams = new Set<number>();
  for (const line of text.split("\n")) {
    const chars = [...line];
    const codes = chars.map((char) => char.codePointAt(0) ?? 0);
    for (const [at, code] of codes.entries()) {
      const [second, third] = [codes[at + 1], codes[at + 2]];
      if (code > 0xff && isUnspaced(chars[at] ?? "")) {
        grams.add(code);
        if (second !== undefined) grams.add(hash(code, second));
      } else if (second !== undefined && third !== undefined) grams.add(hash(code, second, third));
    }
  }
  return [...grams];
}

function hash(...codes: number[]): number {
  return codes.reduce((sum, code) => (Math.imul(sum, 0x01000193) ^ code) | 0, 0x811c9dc5 | 0);
}
