/** Which names may be shown: normalised, readable, visible, not too long, no trick characters. */
import { BLANK, isVisible, TAGGED_FLAG } from "@fanfare/proto/nickname-key";

export const NICKNAME_GRAPHEMES_MAX = 24;
/** A bound before any work is done on a name. */
const NICKNAME_CHARS_MAX = 200;

/** Controls, formats such as bidi overrides and zero-width characters, private use, unassigned. */
const NOT_SHOWABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\ufffc]/u;
/** Joins emoji and shapes letters in several scripts: allowed inside a name that has other signs. */
const JOINERS = /[\u200c\u200d]/g;
/**
 * What is not seen itself and does nothing where it stands: variation selectors but those of an emoji, of
 * a Han sign or of a Mongolian letter, joiners at an edge, fillers of Hangul and the like.
 */
const IDLE =
  /(?<!\p{Emoji})[\ufe0e\ufe0f]|[\ufe00-\ufe0d]|(?<!\p{Script=Han})[\u{e0100}-\u{e01ef}]|(?<!\p{Script=Mongolian})[\u180b-\u180d\u180f]|(?<=^|\s|[\u200c\u200d])[\u200c\u200d]|[\u200c\u200d](?=$|\s)|[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]/gu;
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
  if (NOT_SHOWABLE.test(text.replace(JOINERS, "").replace(TAGGED_FLAG, ""))) return undefined;
  const name = text.replace(BLANK, " ").replace(IDLE, "").replace(/\s+/g, " ").trim();
  if (!isVisible(name) || STACKED.test(name.normalize("NFD"))) return undefined;
  let count = 0;
  for (const _ of graphemes.segment(name)) if (++count > NICKNAME_GRAPHEMES_MAX) return undefined;
  return name;
}
