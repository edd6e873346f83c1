/** Which texts of an inline quiz may be stored and shown. The bank checks its own before. */

/** Control characters, halves of surrogate pairs, and line separators that no keyboard has. */
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** What is wrong with a text and what to do; undefined when nothing is. Bounds count code points. */
export function faultOfText(
  text: string,
  { min = 1, max }: { min?: number; max: number },
): string | undefined {
  if (UNPRINTABLE.test(text)) return "holds control characters; remove them";
  const length = [...text.trim()].length;
  return length < min || length > max ? `needs ${min} to ${max} characters` : undefined;
}
