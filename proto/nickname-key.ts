/**
 * How nicknames are compared: by what they look like. The skeleton of UTS 39 (confusables.ts), whatever
 * the letter case, without what can't be seen (docs/adr/0018).
 *
 * Part of the log's form: names and bans are stored with their key, so the same name must have the same
 * key in every version.
 */
import { CONFUSABLES } from "./confusables.js";

/** The flags of England, Scotland and Wales: the only ones that are spelled with invisible tags. */
export const TAGGED_FLAG =
  /\u{1F3F4}\u{E0067}\u{E0062}(?:\u{E0065}\u{E006E}\u{E0067}|\u{E0073}\u{E0063}\u{E0074}|\u{E0077}\u{E006C}\u{E0073})\u{E007F}/gu;

/** Signs that leave a gap, though Unicode does not count them as spaces. */
export const BLANK = /[\u2800\u{16FE4}\u{13441}\u{13442}\u{1D159}]/gu;

const IGNORABLE_OR_FLAG = new RegExp(
  `(${TAGGED_FLAG.source})|\\p{Default_Ignorable_Code_Point}`,
  "gu",
);
const ASCII = /^[\0-\x7f]*$/;
const LATIN = /^[a-z]/;
const SPACED = /\s/;

/** Small capitals look like large ones, which are the same letter in another case; so is the last sigma. */
const SMALL_CAPITALS = new Map(
  "ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk ĸk ʟl ᴍm ɴn ᴏo ᴘp ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz ςσ"
    .split(" ")
    .map(([small = "", letter = ""]) => [small, letter]),
);

/**
 * Digits are told apart from the letters that resemble them: people number their names, "Max1" and
 * "Max10", and the pages' letters keep 1 and l, 0 and O apart.
 */
const KEPT = /^[0-9]$/;

/** Looks that are kept: those of the world's names, not of all that somebody may think up. */
const LOOKS_MAX = 20_000;
/** Prototypes have prototypes by their other letter case: a few steps lead to the last. */
const STEPS_MAX = 6;

const prototypes = readConfusables();
const looks = new Map<string, string>();

export function nicknameKey(nickname: string): string {
  const isAscii = ASCII.test(nickname);
  const text = isAscii ? nickname : withoutUnseen(nickname.normalize("NFKD"));
  let key = "";
  for (const sign of text) key += looks.get(sign) ?? lookUp(sign);
  // The dot of i is its own already.
  if (!isAscii) key = key.normalize("NFD").replace(/([lj])\u0307/g, "$1");
  return SPACED.test(key) ? key.replace(/\s+/g, " ").trim() : key;
}

/** Whether anything of a name can be seen: more than spaces, marks and what is ignored. */
export function isVisible(name: string): boolean {
  for (const sign of withoutUnseen(name)) if (!/[\p{M}\s]/u.test(sign)) return true;
  return false;
}

function withoutUnseen(text: string): string {
  return text
    .replace(IGNORABLE_OR_FLAG, (_, flag: string | undefined) => flag ?? "")
    .replace(BLANK, " ");
}

function lookUp(sign: string): string {
  const look = sign < "\x80" ? lookOf(sign) : lookOfPair(sign);
  // I looks like l, and is i in another case.
  const found = look.replaceAll("i", "l");
  if (looks.size < LOOKS_MAX) looks.set(sign, found);
  return found;
}

/**
 * A letter and its other case look alike to this rule: both like the Latin letter that one of them looks
 * like. Only where they look like two (the Greek Ν and ν, like N and v) each has its own look.
 */
function lookOfPair(sign: string): string {
  const lower = sign.toLowerCase();
  const [small, large] = [lookOf(lower), lookOf(lower.toUpperCase())];
  if (small === large) return small;
  if (LATIN.test(small) && LATIN.test(large)) return lookOf(sign);
  return LATIN.test(large) ? large : small;
}

function lookOf(sign: string): string {
  let look = sign;
  for (let step = 0; step < STEPS_MAX; step++) {
    let next = "";
    for (const each of look) next += SMALL_CAPITALS.get(each) ?? prototypeOf(each);
    next = next.toLowerCase().normalize("NFKD");
    if (next === look) break;
    look = next;
  }
  return look;
}

function prototypeOf(sign: string): string {
  return KEPT.test(sign) ? sign : (prototypes.get(sign) ?? sign);
}

function readConfusables(): Map<string, string> {
  const text = (hex: string) =>
    String.fromCodePoint(...hex.split("+").map((each) => Number.parseInt(each, 16)));
  const found = new Map<string, string>();
  for (const entry of CONFUSABLES.trim().split(/\s+/)) {
    const [prototype = "", alike = ""] = entry.split("=");
    for (const sign of alike.split(",")) found.set(text(sign), text(prototype));
  }
  return found;
}
