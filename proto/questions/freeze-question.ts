/** A question as a session keeps it, and how much room it takes there. */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type FrozenQuestion,
  FrozenQuestionSchema,
  FrozenQuizSchema,
} from "../gen/quiz/v1/session_pb.js";
import type { Question } from "../gen/quizmaster/v1/quiz_master_service_pb.js";
import { QUIZ_LIMITS } from "./limits.js";
import { rulesOf } from "./question-types.js";

const LETTERS = "ABCDEFGH";

export interface Freezing {
  /** Time to answer where the question names none. */
  roundSeconds: number;
  /** Puts options in the order in which they are shown. */
  order: (texts: readonly string[]) => readonly string[];
}

/** Of a question that checkQuiz has passed. */
export function freezeQuestion(
  question: Question,
  { roundSeconds, order }: Freezing,
): FrozenQuestion {
  const rules = rulesOf(question.type);
  if (!rules) throw new TypeError("a question is checked before it is frozen");
  const { texts, right } = rules.shown(question);
  const shown = (rules.shuffles ? order(texts) : texts).map((text, place) => ({
    choice: LETTERS.charAt(place),
    text,
  }));
  return create(FrozenQuestionSchema, {
    question: {
      type: question.type,
      text: question.question,
      media: question.media,
      options: shown,
      points: question.points ?? QUIZ_LIMITS.POINTS_DEFAULT,
    },
    answer: shown.filter(({ text }) => right.includes(text)).map(({ choice }) => choice),
    explanation: question.explanation,
    timeLimitMs: (question.seconds || roundSeconds) * 1_000,
    penalty: question.penalty,
  });
}

/** The most that the question takes of a session's FROZEN_QUIZ_BYTES_MAX, whatever its options are. */
export function frozenBytes(question: Question): number {
  const freezing = {
    roundSeconds: QUIZ_LIMITS.SECONDS_MAX,
    order: (texts: readonly string[]) => texts,
  };
  const quiz = create(FrozenQuizSchema, { questions: [freezeQuestion(question, freezing)] });
  return toBinary(FrozenQuizSchema, quiz).length;
}

/** How many of these questions, from the first, fit into one session. */
export function countThatFits(questions: readonly Question[]): number {
  const { FROZEN_QUIZ_BYTES_MAX: max } = QUIZ_LIMITS;
  if (questions.reduce((sum, question) => sum + bytesAtMost(question), 0) <= max)
    return questions.length;
  let bytes = 0;
  for (const [index, question] of questions.entries()) {
    bytes += frozenBytes(question);
    if (bytes > max) return index;
  }
  return questions.length;
}

/** Never less than frozenBytes, and quick: most quizzes are far from the limit. */
export function bytesAtMost({ question, options, explanation, media }: Question): number {
  const texts = [
    question,
    explanation,
    ...options,
    ...media.flatMap(({ url, description }) => [url, description]),
  ];
  const chars = texts.reduce((sum, text) => sum + text.length, 0);
  // UTF-8 takes at most 3 bytes for a unit of UTF-16; lengths, tags and numbers take far less than 32 a text.
  return 200 + 3 * chars + 32 * texts.length;
}
