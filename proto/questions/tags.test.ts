import { expect, test } from "vitest";
import { checkTags, nearestTag } from "./tags.js";

test("tags are stored in lower case, each once, in the order given", () => {
  expect(checkTags(["World-Cup", " 2026 ", "world-cup"])).toEqual({
    kind: "valid",
    tags: ["world-cup", "2026"],
  });
});

test.each([
  ["a space", ["World Capitals"], 'write "world-capitals"'],
  ["nothing", [""], "1 to 40"],
  ["a letter beyond ASCII", ["café"], 'write "cafe"'],
  ["too long", ["x".repeat(41)], "1 to 40"],
  ["too many", Array.from({ length: 21 }, (_, i) => `tag-${i}`), "there are 21 tags"],
])("%s is refused with a way out", (_, tags, message) => {
  expect(checkTags(tags)).toMatchObject({
    kind: "invalid",
    message: expect.stringContaining(message),
  });
});

test("the nearest tag of a text that has none is empty", () => {
  expect(nearestTag("¿?")).toBe("");
  expect(nearestTag("Sport & Spiel")).toBe("sport-spiel");
});
