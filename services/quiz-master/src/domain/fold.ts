/**
 * Texts as people search for them: without letter case, accents, width and punctuation. Words keep the
 * signs that belong to them (C++, C#, F#), other symbols stand alone, one space parts all.
 */

/** Accents of Latin, Greek and Cyrillic letters (й is a letter of its own); vowel points; selectors. */
const MARKS =
  /(?<!\u0438)[\u0300-\u036f]+|[\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670]|[\ufe00-\ufe0f]|\u0640|\p{Cf}/gu;
/** Letters that no decomposition brings to the ones that people type for them. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  ł: "l",
  ı: "i",
  ħ: "h",
  ŧ: "t",
  þ: "th",
  ς: "σ",
};
const LETTER = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "g");
const WORDS = /[\p{L}\p{N}\p{M}]+[+#]*|\p{S}/gu;

/** Empty where a text is punctuation only. */
export function fold(text: string): string {
  const plain = text
    .normalize("NFKD")
    .toLowerCase()
    .replace(MARKS, "")
    .replace(LETTER, (letter) => LETTERS[letter] ?? letter)
    .normalize("NFC");
  return plain.match(WORDS)?.join(" ") ?? "";
}

const NUMBER = /^[+-]?\d+(\.\d+)?$/;

/** The same for texts that may mean the same to a player: "Co" and "CO", "1" and "1.0". */
export function looseKey(text: string): string {
  const plain = text.normalize("NFKC").trim();
  return NUMBER.test(plain) ? String(Number(plain)) : fold(plain) || plain;
}
