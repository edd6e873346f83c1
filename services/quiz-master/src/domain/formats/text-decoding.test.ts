import { expect, test } from "vitest";
import { decodeLines } from "./text-decoding.js";

const bytes = (...parts: (string | number)[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(typeof part === "string" ? part : [part])));

const textsOf = (content: Uint8Array) => [...decodeLines(content)];

test("lines end with LF, CRLF or CR, mixed in one file", () => {
  expect(textsOf(bytes("a\nb\r\nc\rd\n\ne"))).toEqual(["a", "b", "c", "d", "", "e"]);
});

test("each line has its own encoding", () => {
  const content = bytes(
    "\ufeffBrummbär\n",
    "Brummb",
    0xe4,
    "r\r\n",
    0x93,
    "Tiger",
    0x94,
    " ",
    0x80,
    "5",
  );
  expect([...decodeLines(content)]).toEqual(["Brummbär", "Brummbär", "“Tiger” €5"]);
});

test.each([
  [
    "UTF-8 that lost a byte",
    bytes("“Badger State", 0xe2, 0x80, "?, they say"),
    "“Badger State�, they say",
  ],
  ["UTF-8 that lost a byte of its only letter", bytes(0xd0, "?n oxygen tank"), "�n oxygen tank"],
  ["a byte that no letter has", bytes("caf", 0xe9, 0x81), "caf\u00e9�"],
])("%s reads as U+FFFD", (_, content, text) => {
  expect([...decodeLines(content)]).toEqual([text]);
});

test("a question mark behind an accent is no damage", () => {
  const content = bytes("Un caf", 0xe9, "? Oui");
  expect([...decodeLines(content)]).toEqual(["Un café? Oui"]);
});
