// @ts-check
/** Digits as people type them: every script has its own, and keyboards add spaces, dashes and marks. */

const DIGIT = /^\p{Nd}$/u;

/** Digits of any script as 0-9; everything else stays. */
export function plainDigits(/** @type {string} */ text) {
  return text.normalize("NFKC").replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)));
}

/** The digits of a PIN, whatever stands between them (proto/addresses.ts: plainPin). */
export function pinOf(/** @type {string} */ text) {
  return plainDigits(text).replace(/\D/g, "");
}

/** Unicode has the digits of a script in a row from 0 to 9, and rows may follow each other. */
function digitValue(/** @type {string} */ digit) {
  const at = digit.codePointAt(0) ?? 0;
  let zero = at;
  while (DIGIT.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return (at - zero) % 10;
}
