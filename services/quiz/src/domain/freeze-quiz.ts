/** A session's own copy of a quiz: checked, with options in an order drawn for this session. */
import { create } from "@bufbuild/protobuf";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import {
  type FrozenQuestion,
  FrozenQuestionSchema,
  type FrozenQuiz,
  FrozenQuizSchema,
  type SessionOptions,
} from "@fanfare/proto/quiz/v1/session";
import type { Question, Quiz } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { rulesOf } from "./question-types/index.js";
import { isRefusal, type Refusal, refuse } from "./refusal.js";
import { faultOfText } from "./text.js";

export const QUESTIONS_MAX = 500;
/** Lengths as in the bank (its limits.ts). */
const TITLE_MAX = 120;
const QUESTION_MAX = 500;
const EXPLANATION_MAX = 500;
const DEFAULT_POINTS = 1_000;
const POINTS_MAX = 10_000;
const LETTERS = "ABCDEFGH";

/** `random` gives numbers in [0, 1), as Math.random does. */
export function freezeQuiz(
  quiz: Quiz,
  options: SessionOptions,
  random: () => number,
): FrozenQuiz | Refusal {
  const title = faultOfText(quiz.title, { max: TITLE_MAX });
  if (title) return refuse(ErrorReason.QUIZ_INVALID, `the title ${title}`, { field: "title" });
  if (quiz.questions.length < 1 || quiz.questions.length > QUESTIONS_MAX)
    return refuse(ErrorReason.QUIZ_INVALID, `a quiz needs 1 to ${QUESTIONS_MAX} questions`, {
      field: "questions",
    });
  const frozen = create(FrozenQuizSchema);
  for (const [index, question] of quiz.questions.entries()) {
    const one = freezeQuestion(question, index + 1, options, random);
    if (isRefusal(one)) return one;
    frozen.questions.push(one);
  }
  return frozen;
}

function freezeQuestion(
  question: Question,
  number: number,
  options: SessionOptions,
  random: () => number,
): FrozenQuestion | Refusal {
  const fault = faultOf(question);
  const rules = rulesOf(question.type);
  if (fault || !rules)
    return refuse(
      ErrorReason.QUIZ_INVALID,
      `question ${number}: ${fault?.field ?? "type"}: ${fault?.message ?? "unknown question type"}`,
      { question: String(number), field: fault?.field ?? "type" },
    );
  const { texts, right } = rules.options(question);
  const order = rules.shuffles && !options.keepOptionOrder ? shuffle(texts, random) : texts;
  const shown = order.map((text, place) => ({ choice: LETTERS.charAt(place), text }));
  const points = question.points ?? DEFAULT_POINTS;
  return create(FrozenQuestionSchema, {
    question: {
      type: question.type,
      text: question.question,
      media: question.media,
      options: shown,
      points,
    },
    answer: shown.filter(({ text }) => right.includes(text)).map(({ choice }) => choice),
    explanation: question.explanation,
    timeLimitMs: (question.seconds || options.roundSeconds) * 1_000,
    penalty: question.penalty,
  });
}

function faultOf(question: Question): { field: string; message: string } | undefined {
  const { seconds, points = DEFAULT_POINTS, penalty } = question;
  const text = faultOfText(question.question, { max: QUESTION_MAX });
  if (text) return { field: "question", message: `the text ${text}` };
  const explanation = faultOfText(question.explanation, { min: 0, max: EXPLANATION_MAX });
  if (explanation) return { field: "explanation", message: `it ${explanation}` };
  if (seconds !== 0 && (seconds < 5 || seconds > 240))
    return { field: "seconds", message: "must be 5 to 240, or 0 for the session's" };
  if (points > POINTS_MAX) return { field: "points", message: `must be 0 to ${POINTS_MAX}` };
  if (penalty > POINTS_MAX) return { field: "penalty", message: `must be 0 to ${POINTS_MAX}` };
  if (question.media.length > 4) return { field: "media", message: "at most 4" };
  const rules = rulesOf(question.type);
  return rules ? rules.validate(question) : { field: "type", message: "unknown question type" };
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
