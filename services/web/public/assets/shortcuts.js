// @ts-check
/** Keys that answer: 1-8 and A-H, for the options by place. */

/**
 * The place from 0, or -1. Only while one of the options has the focus: a single letter that acts
 * wherever it is typed answers for who dictates, or types for another window (WCAG 2.1, 2.1.4).
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "repeat">} event
 * @param {boolean} isInOptions Whether the focus is on one of the options.
 */
export function placeOfKey(event, isInOptions) {
  if (!isInOptions || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return -1;
  if (event.key.length !== 1) return -1;
  const digit = "12345678".indexOf(event.key);
  return digit >= 0 ? digit : "abcdefgh".indexOf(event.key.toLowerCase());
}
