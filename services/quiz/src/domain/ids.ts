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

/** Six digits, the first not 0, so that people can say them. */
export function newPin(): string {
  return String(randomInt(100_000, 1_000_000));
}
