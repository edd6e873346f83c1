/** Which names may be shown: normalised, readable, not too long, no trick characters. */
export const NICKNAME_GRAPHEMES_MAX = 24;
/** A bound before any work is done on a name. */
const NICKNAME_CHARS_MAX = 200;

/** Controls, formats such as bidi overrides and zero-width characters, private use, unassigned. */
const NOT_SHOWABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/u;
/** Joins emoji and shapes letters in several scripts: allowed inside a name that has other signs. */
const JOINERS = /[\u200c\u200d]/g;
/** Stacked accents that cover the lines above ("zalgo"). */
const STACKED = /\p{M}{4}/u;

/** Most names: signs and single spaces of ASCII, which are graphemes each. Five times as quick. */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The name as it is shown, or undefined where it can't be. */
export function readNickname(given: string): string | undefined {
  if (given.length > NICKNAME_CHARS_MAX) return undefined;
  if (PLAIN.test(given)) return given.length > NICKNAME_GRAPHEMES_MAX ? undefined : given;
  const text = given.normalize("NFC").trim();
  if (text === "" || NOT_SHOWABLE.test(text.replace(JOINERS, ""))) return undefined;
  const name = text.replace(/\s+/g, " ");
  if (name.replace(JOINERS, "") === "" || STACKED.test(name.normalize("NFD"))) return undefined;
  let count = 0;
  for (const _ of graphemes.segment(name)) if (++count > NICKNAME_GRAPHEMES_MAX) return undefined;
  return name;
}
