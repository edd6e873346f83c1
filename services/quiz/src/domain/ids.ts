/** Ids and PINs, drawn so that nobody can guess the next. */
import { randomBytes, randomInt } from "node:crypto";

const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

/** A token without signs that look alike. 12 characters hold 70 bits. */
export function newId(length: number): string {
  let id = "";
  while (id.length < length)
    for (const byte of randomBytes(length * 2)) {
      // Bytes beyond a multiple of the alphabet would make some letters likelier.
      if (byte < LETTERS.length * 4 && id.length < length) id += LETTERS[byte % LETTERS.length];
    }
  return id;
}

const PIN_DIGITS_MIN = 6;
const PIN_DIGITS_MAX = 10;
/** What a guess may hit at most: more digits while more sessions live. */
const PIN_HIT_MAX = 1e-4;

/** Digits of the next PIN: six up to 90 live sessions, seven up to 900, … */
export function pinDigits(liveSessions: number): number {
  let digits = PIN_DIGITS_MIN;
  while (digits < PIN_DIGITS_MAX && liveSessions > 9 * 10 ** (digits - 1) * PIN_HIT_MAX) digits++;
  return digits;
}

/** The first digit is not 0, so that people can say them. */
export function newPin(digits: number): string {
  return String(randomInt(10 ** (digits - 1), 10 ** digits));
}
