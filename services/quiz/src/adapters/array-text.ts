/**
 * PostgreSQL arrays as text ("Array Input and Output Syntax" in its manual), for statements that take
 * thousands of values: `${arrayOf(…)}::text::text[]`. The driver's own arrays cost twice as much.
 */

const SPECIAL = /["\\]/g;

/** A text as an element that stands for itself, whatever it holds: NULL and braces too. */
export function element(text: string): string {
  const isPlain = !text.includes('"') && !text.includes("\\");
  return `"${isPlain ? text : text.replace(SPECIAL, "\\$&")}"`;
}

/** An array of elements, or of numbers, `t`, `f` and `NULL`, which need no quotes. */
export function arrayOf(elements: readonly (string | number)[]): string {
  return `{${elements.join(",")}}`;
}

/** An element `count` times over, as one piece of an array. */
export function repeated(one: string | number, count: number): string {
  return `${one},`.repeat(count).slice(0, -1);
}
