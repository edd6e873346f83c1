/** PINs as people type them; the server's door reads them alike. */
import { plainPin } from "@fanfare/proto/addresses";
import { expect, test } from "vitest";
import { pinOf } from "../public/assets/digits.js";

/** The zero of every script that Unicode knows, by ten of its digits in a row. */
function zeros(): number[] {
  const digits: number[] = [];
  for (let at = 0; at <= 0x10ffff; at++)
    if (/^\p{Nd}$/u.test(String.fromCodePoint(at))) digits.push(at);
  const found: number[] = [];
  for (let i = 0; i < digits.length; i += 10) found.push(digits[i] as number);
  return found;
}

const spelled = (zero: number, pin: string) =>
  [...pin].map((digit) => String.fromCodePoint(zero + Number(digit))).join("");

test.each([
  ["١٢٣٤٥٦", "123456"],
  ["۱۲۳۴۵۶", "123456"],
  ["१२३४५६", "123456"],
  ["১২৩৪৫৬", "123456"],
  ["１２３４５６", "123456"],
  ["๑๒๓๔๕๖", "123456"],
  ["๑๒๓ ๔๕๖", "123456"],
  ["123-456", "123456"],
  ["123–456", "123456"],
  ["１２３ー４５６", "123456"],
  ["123 456", "123456"],
  ["1 2 3 4 5 6 7", "1234567"],
  ["\u200f١٢٣٤\u200f٥٦٧٨\u200e", "12345678"],
  ["۱۲3४56", "123456"],
  ["(123) 456", "123456"],
  ["123.456", "123456"],
  ["1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣", "123456"],
])("%s is %s, on the page and at the server", (typed, pin) => {
  expect(pinOf(typed)).toBe(pin);
  expect(plainPin(typed)).toBe(pin);
});

test("digits of every script that there is are taken", () => {
  expect(zeros().length).toBeGreaterThan(60);
  for (const zero of zeros()) {
    const typed = spelled(zero, "0123456789");
    expect([typed, pinOf(typed), plainPin(typed)]).toEqual([typed, "0123456789", "0123456789"]);
  }
});

test.each(["", "12a456", "123", "1234567890123", "½½½½½½", "PIN 123456", "9".repeat(1_000_000)])(
  "%# is no PIN at the server",
  (typed) => {
    expect(plainPin(typed)).toBeUndefined();
  },
);
