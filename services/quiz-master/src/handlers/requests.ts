/** What several handlers check of a request. */
import { invalidField } from "@fanfare/common/errors";
import { isToken } from "@fanfare/proto/addresses";
import { checkTags } from "@fanfare/proto/questions/tags";

/** A well-formed quiz id; INVALID_FIELD otherwise. */
export function quizIdOf(quizId: string, field = "quiz_id"): string {
  if (isToken(quizId)) return quizId;
  throw invalidField(field, "1 to 64 of the characters A-Z a-z 0-9 _ -");
}

/** Tags in stored form; INVALID_FIELD otherwise. */
export function tagsOf(given: readonly string[]): string[] {
  const checked = checkTags(given);
  if (checked.kind === "valid") return checked.tags;
  throw invalidField("tags", `at most 20, each 1 to 40 of a-z 0-9 - (${checked.message})`);
}

/** A number from 1 to `max`, where 0 takes the default; INVALID_FIELD otherwise. */
export function countOf(given: number, field: string, max: number, fallback?: number): number {
  const count = given === 0 ? fallback : given;
  if (count !== undefined && count <= max) return count;
  throw invalidField(field, `1 to ${max}`);
}
