import { expect, test } from "vitest";
import { fold, looseKey } from "./fold.js";

test.each([
  ["case", "Été À ZÜRICH", "ete a zurich"],
  ["composition", "Zu\u0308rich", "zurich"],
  ["ß, ligatures and letters with strokes", "Straße ﬁn Łódź Ærø", "strasse fin lodz aero"],
  ["the Turkish i", "İstanbul ılık", "istanbul ilik"],
  ["the final sigma", "ΛΌΓΟΣ λόγος", "λογοσ λογοσ"],
  ["width", "Ｗｅｌｔ ｶﾞ", "welt ガ"],
  ["signs that belong to words", "C++, C# und F#", "c++ c# und f#"],
  ["formulas", "E=mc²", "e = mc2"],
  ["punctuation", "What's “Node.js”?", "what s node js"],
  ["scripts without spaces", "歴史の問題", "歴史の問題"],
  ["vowel points", "שָׁלוֹם", "שלום"],
  ["letters that accents make", "Майя ёлка", "майя елка"],
  ["soft hyphens and joiners", "Welt\u00adgeschichte", "weltgeschichte"],
  ["nothing but punctuation", "?!…", ""],
])("folds %s", (_, text, folded) => {
  expect(fold(text)).toBe(folded);
});

test.each([
  ["1.0", "1"],
  ["１０", "10"],
  ["Co", "CO"],
])("%s and %s may mean the same", (one, other) => {
  expect(looseKey(one)).toBe(looseKey(other));
});

test.each([
  ["-5", "5"],
  ["C++", "C#"],
  ["?", "!"],
  ["1.5", "15"],
])("%s and %s do not mean the same", (one, other) => {
  expect(looseKey(one)).not.toBe(looseKey(other));
});
