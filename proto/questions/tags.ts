/** Tags: short words in lower case that quizzes are found by. */
import { QUIZ_LIMITS } from "./limits.js";
import { quoted } from "./text.js";

const TAG = /^[a-z0-9-]{1,40}$/;

export type CheckedTags = { kind: "valid"; tags: string[] } | { kind: "invalid"; message: string };

/** Tags in stored form: lower case, each once, in the order given. */
export function checkTags(given: readonly string[]): CheckedTags {
  const tags = [...new Set(given.map((tag) => tag.trim().toLowerCase()))];
  if (tags.length > QUIZ_LIMITS.TAGS_MAX)
    return invalid(`there are ${tags.length} tags; keep at most ${QUIZ_LIMITS.TAGS_MAX}`);
  const wrong = tags.find((tag) => !TAG.test(tag));
  if (wrong === undefined) return { kind: "valid", tags };
  const near = nearestTag(wrong);
  const advice = near ? `; write ${quoted(near)}` : "";
  return invalid(`the tag ${quoted(wrong)} must be 1 to 40 of the characters a-z 0-9 -${advice}`);
}

/** The tag that a text most likely means ("World Capitals" is world-capitals); empty for none. */
export function nearestTag(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, QUIZ_LIMITS.TAG_MAX)
    .replace(/^-+|-+$/g, "");
}

function invalid(message: string): CheckedTags {
  return { kind: "invalid", message };
}
