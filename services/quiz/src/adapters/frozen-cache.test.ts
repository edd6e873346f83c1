import { create } from "@bufbuild/protobuf";
import { FrozenQuizSchema } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { FrozenCache } from "./frozen-cache.js";

const quiz = create(FrozenQuizSchema);

test("what is kept is bounded by bytes; what was used longest ago goes first", () => {
  let evicted = 0;
  const cache = new FrozenCache(1_000, () => evicted++);
  for (const key of ["a", "b", "c"]) cache.set(key, quiz, 300);
  expect(cache.get("a")).toBe(quiz);
  cache.set("d", quiz, 300);
  expect(["a", "b", "c", "d"].map((key) => cache.get(key) !== undefined)).toEqual([
    true,
    false,
    true,
    true,
  ]);
  expect([cache.bytes, evicted]).toEqual([900, 1]);
  cache.set("giant", quiz, 5_000);
  expect([cache.bytes, evicted, cache.get("giant") !== undefined]).toEqual([5_000, 4, true]);
  cache.set("giant", quiz, 10);
  cache.delete("giant");
  cache.delete("never");
  expect(cache.bytes).toBe(0);
});
