/** Presses that were meant for another button, keys that were meant for nobody, counts that stay. */
import { expect, test } from "vitest";
import { AnswerCount } from "../public/assets/answer-count.js";
import { DEAD_MS, PressGuard } from "../public/assets/press-guard.js";
import { placeOfKey } from "../public/assets/shortcuts.js";

test("what stood there a moment ago takes no press", () => {
  let now = 10_000;
  const guard = new PressGuard(() => now);
  guard.showing("close 1");
  now += DEAD_MS;
  expect(guard.allows()).toBe(true);
  // Close is pressed; the reveal comes before the second half of the double press.
  guard.showing("next 1");
  now += DEAD_MS - 1;
  expect(guard.allows()).toBe(false);
  // The same buttons, drawn again.
  guard.showing("next 1");
  now += DEAD_MS;
  expect(guard.allows()).toBe(true);
});

test("who presses again and again presses one button, however long", () => {
  let now = 0;
  const guard = new PressGuard(() => now);
  guard.showing("close 1");
  now += DEAD_MS;
  expect(guard.allows()).toBe(true);
  guard.showing("next 1");
  for (let press = 0; press < 20; press++) {
    now += 200;
    expect(guard.allows()).toBe(false);
  }
  now += DEAD_MS;
  expect(guard.allows()).toBe(true);
});

const key = (name: string, more: object = {}) => ({
  key: name,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  repeat: false,
  ...more,
});

test.each(["1", "8", "a", "A", "h", "b"])(
  "%s typed outside the options answers nothing",
  (name) => {
    expect(placeOfKey(key(name), false)).toBe(-1);
    expect(placeOfKey(key(name), true)).toBeGreaterThanOrEqual(0);
  },
);

test("on an option, a digit or letter names one by its place", () => {
  expect(["1", "2", "8", "a", "B", "h"].map((name) => placeOfKey(key(name), true))).toEqual([
    0, 1, 7, 0, 1, 7,
  ]);
  for (const name of ["9", "0", "i", "Enter", "Tab", "ab", "", "ArrowDown"])
    expect(placeOfKey(key(name), true)).toBe(-1);
  for (const held of ["ctrlKey", "metaKey", "altKey", "repeat"])
    expect(placeOfKey(key("a", { [held]: true }), true)).toBe(-1);
});

test("the count of answers stays for its round, and for no other", () => {
  const count = new AnswerCount();
  expect(count.text(1)).toBe("");
  count.take({ round: 1, answers: 12, players: 1_030 });
  expect(count.text(1)).toBe("12 of 1,030 players answered");
  expect(count.text(2)).toBe("");
  count.take({ round: 2, answers: 0, players: 1 });
  expect(count.text(2)).toBe("0 of 1 player answered");
  count.forget();
  expect(count.text(2)).toBe("");
});
