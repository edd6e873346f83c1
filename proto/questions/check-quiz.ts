/**
 * What a quiz may be, wherever it is made: in the bank, by an import, or for one session. Checking also
 * brings it into its stored form: texts trimmed and composed (NFC), tags in lower case, types inferred.
 */

import type { Media } from "../gen/common/v1/question_pb.js";
import type { Question, Quiz } from "../gen/quizmaster/v1/quiz_master_service_pb.js";
import { countThatFits, frozenBytes } from "./freeze-question.js";
import { QUIZ_LIMITS } from "./limits.js";
import { checkMedia } from "./media.js";
import { rulesOf, withType } from "./question-types.js";
import { type Breach, breach, type CheckedQuestion } from "./rules.js";
import { checkTags } from "./tags.js";
import { textFault, tidy, tidyLines } from "./text.js";

/** What an author writes of a quiz; the rest of Quiz is the server's. */
export type QuizContent = Pick<Quiz, "title" | "tags" | "questions">;

export interface QuizFault {
  /** From 1; undefined where the quiz itself is at fault. */
  question?: number;
  field: string;
  message: string;
  /** The limit that the quiz as a whole exceeds, where it is no rule of its questions. */
  limit?: "FROZEN_QUIZ_BYTES_MAX";
}

export type CheckedQuiz =
  | { kind: "valid"; content: QuizContent }
  | { kind: "invalid"; fault: QuizFault };

/** The quiz in stored form, or the first rule that it breaks. */
export function checkQuiz(quiz: QuizContent): CheckedQuiz {
  const title = tidy(quiz.title);
  const titleFault = textFault(title, { max: QUIZ_LIMITS.TITLE_MAX });
  if (titleFault) return refused("title", `the title ${titleFault}`);
  const tags = checkTags(quiz.tags);
  if (tags.kind === "invalid") return refused("tags", tags.message);
  const count = quiz.questions.length;
  if (count === 0) return refused("questions", "a quiz needs at least one question; add some");
  if (count > QUIZ_LIMITS.QUESTIONS_MAX)
    return refused(
      "questions",
      `there are ${count} questions; keep at most ${QUIZ_LIMITS.QUESTIONS_MAX}, or make several quizzes`,
    );
  const questions: Question[] = [];
  for (const [index, question] of quiz.questions.entries()) {
    const checked = checkQuestion(question);
    if (checked.kind === "invalid") return refused(checked.field, checked.message, index + 1);
    questions.push(checked.question);
  }
  const fault = sizeFault(questions);
  if (fault) return { kind: "invalid", fault };
  return { kind: "valid", content: { title, tags: tags.tags, questions } };
}

/** Why these questions, in stored form, can't be played in one session; undefined where they can. */
export function sizeFault(questions: readonly Question[]): QuizFault | undefined {
  const count = countThatFits(questions);
  if (count === questions.length) return undefined;
  const bytes = questions.reduce((sum, question) => sum + frozenBytes(question), 0);
  const { FROZEN_QUIZ_BYTES_MAX: max } = QUIZ_LIMITS;
  return {
    field: "questions",
    message: `the ${questions.length} questions take ${bytes} bytes of the ${max} that a session may have; make several quizzes of them: the first ${count} fit into one`,
    limit: "FROZEN_QUIZ_BYTES_MAX",
  };
}

/** The texts of a question in stored form. */
export function tidyQuestion(given: Question): Question {
  return {
    ...given,
    question: tidyLines(given.question),
    options: given.options.map(tidy),
    answer: given.answer.map(tidy),
    explanation: tidyLines(given.explanation),
  };
}

/** One question in stored form, or the first rule that it breaks. */
export function checkQuestion(given: Question): CheckedQuestion {
  const question = withType(tidyQuestion(given));
  const media = checkAllMedia(given.media);
  const faulty = textBreach(question) ?? numberBreach(question);
  if (faulty) return faulty;
  if (media.kind === "invalid") return media;
  const rules = rulesOf(question.type);
  if (!rules)
    return breach(
      "type",
      "the question type is not known; say SINGLE_CHOICE, MULTIPLE_CHOICE or TRUE_FALSE",
    );
  return rules.check({ ...question, media: media.media });
}

function checkAllMedia(given: readonly Media[]): { kind: "valid"; media: Media[] } | Breach {
  if (given.length > QUIZ_LIMITS.MEDIA_MAX)
    return breach("media", `there are ${given.length} media files; keep ${QUIZ_LIMITS.MEDIA_MAX}`);
  const media: Media[] = [];
  for (const each of given) {
    const checked = checkMedia(each);
    if (checked.kind === "invalid") return breach("media", checked.message);
    media.push(checked.media);
  }
  return { kind: "valid", media };
}

function textBreach(question: Question): Breach | undefined {
  const fault = textFault(question.question, { max: QUIZ_LIMITS.QUESTION_MAX, lines: true });
  if (fault) return breach("question", `the question ${fault}`);
  for (const [field, what, texts] of [
    ["options", "an option", question.options],
    ["answer", "a right answer", question.answer],
  ] as const)
    for (const text of texts) {
      const fault = textFault(text, { max: QUIZ_LIMITS.OPTION_MAX });
      if (fault) return breach(field, `${what} ${fault}`);
    }
  const bounds = { max: QUIZ_LIMITS.EXPLANATION_MAX, lines: true, optional: true };
  const wrong = textFault(question.explanation, bounds);
  return wrong ? breach("explanation", `the explanation ${wrong}`) : undefined;
}

function numberBreach(question: Question): Breach | undefined {
  const { SECONDS_MIN, SECONDS_MAX, POINTS_MAX } = QUIZ_LIMITS;
  const { seconds, points = 0, penalty } = question;
  if (seconds !== 0 && (seconds < SECONDS_MIN || seconds > SECONDS_MAX))
    return breach(
      "seconds",
      `the time to answer is ${seconds} s; give ${SECONDS_MIN} to ${SECONDS_MAX}, or 0 for the session's own`,
    );
  if (points > POINTS_MAX)
    return breach("points", `there are ${points} points; give 0 to ${POINTS_MAX}`);
  if (penalty > POINTS_MAX)
    return breach("penalty", `the penalty is ${penalty} points; give 0 to ${POINTS_MAX}`);
  return undefined;
}

function refused(field: string, message: string, question?: number): CheckedQuiz {
  const fault = question === undefined ? { field, message } : { field, message, question };
  return { kind: "invalid", fault };
}
