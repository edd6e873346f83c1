/** DrawQuestions: pick different questions from the bank, the same ones for the same seed. */
import { randomInt } from "node:crypto";
import { ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { DrawQuestionsRequest } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { LIMITS } from "../domain/limits.js";
import type { QuestionPool } from "../domain/ports.js";
import { countOf, tagsOf } from "./requests.js";

const SEED_END = 2 ** 32;

export async function drawQuestions(pool: QuestionPool, request: DrawQuestionsRequest) {
  const tags = tagsOf(request.tags);
  const count = countOf(request.count, "count", LIMITS.DRAW_MAX);
  const questions = await pool.draw(tags, count, request.seed || randomInt(1, SEED_END));
  if (questions.length > 0) return { questions };
  const where = tags.length > 0 ? `no quiz has the tags ${tags.join(", ")}` : "the bank is empty";
  throw new ServiceError(ErrorReason.NO_QUESTIONS, `${where}; there is nothing to draw from`);
}
