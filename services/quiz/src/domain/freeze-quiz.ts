/** A session's own copy of a quiz: checked, with options in an order drawn for this session. */
import { create } from "@bufbuild/protobuf";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { checkQuiz, type QuizFault } from "@fanfare/proto/questions/check-quiz";
import { freezeQuestion } from "@fanfare/proto/questions/freeze-question";
import { QUIZ_LIMITS } from "@fanfare/proto/questions/limits";
import {
  type FrozenQuiz,
  FrozenQuizSchema,
  type SessionOptions,
} from "@fanfare/proto/quiz/v1/session";
import type { Quiz } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { type Refusal, refuse } from "./refusal.js";

/**
 * A quiz of the bank and one that was sent along are held to the same rules. `random` gives numbers in
 * [0, 1), as Math.random does.
 */
export function freezeQuiz(
  quiz: Quiz,
  { keepOptionOrder, roundSeconds }: SessionOptions,
  random: () => number,
): FrozenQuiz | Refusal {
  const checked = checkQuiz(quiz);
  if (checked.kind === "invalid") return refusalOf(checked.fault);
  const order = (texts: readonly string[]) => (keepOptionOrder ? texts : shuffle(texts, random));
  const questions = checked.content.questions.map((question) =>
    freezeQuestion(question, { roundSeconds, order }),
  );
  return create(FrozenQuizSchema, { questions });
}

function refusalOf({ question, field, message, limit }: QuizFault): Refusal {
  if (limit !== undefined)
    return refuse(ErrorReason.TOO_LARGE, message, { limit, max: String(QUIZ_LIMITS[limit]) });
  if (question === undefined) return refuse(ErrorReason.QUIZ_INVALID, message, { field });
  const metadata = { question: String(question), field };
  return refuse(ErrorReason.QUIZ_INVALID, `question ${question}: ${field}: ${message}`, metadata);
}

/** Fisher-Yates. */
function shuffle<T>(list: readonly T[], random: () => number): T[] {
  const copy = [...list];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [copy[last], copy[other]] = [copy[other] as T, copy[last] as T];
  }
  return copy;
}
