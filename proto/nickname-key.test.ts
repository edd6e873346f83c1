/** Names that look alike are one; honest names of every script are as many as they are. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isVisible, nicknameKey } from "./nickname-key.js";

describe("one name", () => {
  test.each([
    ["a variation selector", "Ann", "Ann\ufe0f"],
    ["a Cyrillic A", "Ann", "Аnn"],
    ["a Greek A", "Ann", "Αnn"],
    ["a Cherokee A", "Ann", "Ꭺnn"],
    ["a Lisu A", "Ann", "ꓮnn"],
    ["full width", "Ann", "Ａｎｎ"],
    ["mathematical bold", "Ann", "𝐀𝐧𝐧"],
    ["mathematical script", "Ann", "𝒜𝓃𝓃"],
    ["circles", "Ann", "Ⓐⓝⓝ"],
    ["small capitals", "Ann", "ᴀɴɴ"],
    ["the grapheme joiner", "Ann", "A\u034fnn"],
    ["a zero width joiner", "Ann", "A\u200dnn"],
    ["a soft hyphen", "Ann", "An\u00adn"],
    ["a filler of Hangul", "Ann", "Ann\u3164"],
    ["a blank of Braille", "Ann", "Ann\u2800"],
    ["a Mongolian selector", "Ann", "Ann\u180b"],
    ["a vowel of Khmer that is not seen", "Ann", "Ann\u17b4"],
    ["Cyrillic alone", "BOBA", "ВОВА"],
    ["Greek capitals alone", "ANNA", "ΑΝΝΑ"],
    ["another letter case in Cyrillic", "Владимир", "ВЛАДИМИР"],
    ["another letter case, with a Cyrillic L", "Лев", "ЛЕВ"],
    ["another letter case in German", "Straße", "STRASSE"],
    ["I for l", "Paul", "PauI"],
    ["a Cyrillic palochka for l", "Paul", "Pauӏ"],
    ["a Ukrainian I", "Ian", "Іan"],
    ["rn for m", "Tom", "Torn"],
    ["a curly apostrophe", "O'Neil", "O’Neil"],
    ["a dotless i", "Nina", "Nına"],
    ["a letter and its mark apart", "Zoë", "Zoe\u0308"],
    ["a Cyrillic ё", "Zoë", "Zoё"],
    ["text and emoji style", "❤", "❤️"],
  ])("with %s", (_how, one, other) => {
    expect(nicknameKey(other)).toBe(nicknameKey(one));
  });
});

describe("two names", () => {
  test.each([
    ["Zoë", "Zoe"],
    ["José", "Jose"],
    ["Anna", "Ann"],
    ["Max1", "Maxl"],
    ["Max10", "Max1O"],
    ["Đặng", "Đăng"],
    ["Ngọc", "Ngoc"],
    ["Łukasz", "Lukasz"],
    ["山田", "山口"],
    ["김철수", "김철호"],
    ["محمد", "محمود"],
    ["יוסף", "יוסי"],
    ["สมชาย", "สมหญิง"],
    ["राम", "रमा"],
    ["👩‍🚀", "👨‍🚀"],
    ["👋🏽", "👋🏿"],
    ["🇩🇪", "🇫🇷"],
    ["🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"],
    ["🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴"],
  ])("%s and %s", (one, other) => {
    expect(nicknameKey(other)).not.toBe(nicknameKey(one));
  });

  test("players with numbers are as many as there are", () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => nicknameKey(`player${i}`));
    expect(new Set(keys).size).toBe(20_000);
  });
});

test("what can't be seen is no part of a key", () => {
  const unseen = fc.constantFrom("\ufe0f", "\u034f", "\u200d", "\u3164", "\u{e0101}", "\u2060");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), unseen, (name, sign) => {
      expect(nicknameKey(name + sign)).toBe(nicknameKey(name));
    }),
  );
});

test.each([
  ["", false],
  ["\u3164", false],
  ["\u2800", false],
  ["\u0301", false],
  ["\ufe0f \u17b4", false],
  ["a", true],
  ["🏴󠁧󠁢󠁥󠁮󠁧󠁿", true],
  [".", true],
])("whether %j is seen: %s", (name, seen) => {
  expect(isVisible(name)).toBe(seen);
});

// The log holds keys: these must stay what they are, whatever Unicode's next version says.
test.each([
  ["Ann", "ann"],
  ["William", "wllllarn"],
  ["Đặng Thị Ngọc", "d\u0335a\u0323\u0306ng thl\u0323 ngo\u0323c"],
  ["Владимир", "bлaд\u1d0ern\u1d0ep"],
  ["山田", "山田"],
])("the key of %s is kept", (name, key) => {
  expect(nicknameKey(name)).toBe(key);
});
