/** Ids for quizzes that nobody named: a token that begins with a letter or digit, so no flag on any command line. */
import { randomBytes } from "node:crypto";

export function newQuizId(): string {
  return randomBytes(10).toString("hex");
}
