/**
 * What a quiz may be. Checking also brings it into its stored form: texts trimmed and composed (NFC),
 * tags in lower case, answers spelled as their options are.
 */

import type { Media } from "@fanfare/proto/common/v1/question";
import type { Question, Quiz } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { LIMITS } from "./limits.js";
import { checkMedia } from "./media.js";
import { rulesOf } from "./question-types/question-types.js";
import { type Breach, breach, type CheckedQuestion } from "./question-types/rules.js";
import { checkTags } from "./tags.js";
import { textFault, tidy, tidyLines } from "./text.js";

/** What an author writes of a quiz; the rest of Quiz is the server's. */
export type QuizContent = Pick<Quiz, "title" | "tags" | "questions">;

export interface QuizFault {
  /** From 1; undefined where the quiz itself is at fault. */
  question?: number;
  field: string;
  message: string;
}

export type CheckedQuiz =
  | { kind: "valid"; content: QuizContent }
  | { kind: "invalid"; fault: QuizFault };

/** The quiz in stored form, or the first rule that it breaks. */
export function checkQuiz(quiz: QuizContent): CheckedQuiz {
  const title = tidy(quiz.title);
  const titleFault = textFault(title, { max: LIMITS.TITLE_MAX });
  if (titleFault) return refused("title", `the title ${titleFault}`);
  const tags = checkTags(quiz.tags);
  if (tags.kind === "invalid") return refused("tags", tags.message);
  const count = quiz.questions.length;
  if (count === 0) return refused("questions", "a quiz needs at least one question; add some");
  if (count > LIMITS.QUESTIONS_MAX)
    return refused(
      "questions",
      `there are ${count} questions; keep at most ${LIMITS.QUESTIONS_MAX}, or make several quizzes`,
    );
  const questions: Question[] = [];
  for (const [index, question] of quiz.questions.entries()) {
    const checked = checkQuestion(question);
    if (checked.kind === "invalid") return refused(checked.field, checked.message, index + 1);
    questions.push(checked.question);
  }
  return { kind: "valid", content: { title, tags: tags.tags, questions } };
}

/** One question in stored form, or the first rule that it breaks. */
export function checkQuestion(given: Question): CheckedQuestion {
  const question = {
    ...given,
    question: tidyLines(given.question),
    options: given.options.map(tidy),
    answer: given.answer.map(tidy),
    explanation: tidyLines(given.explanation),
  };
  const media = checkAllMedia(given.media);
  const faulty = textBreach(question) ?? numberBreach(question);
  if (faulty) return faulty;
  if (media.kind === "invalid") return media;
  const rules = rulesOf(question.type);
  if (!rules)
    return breach(
      "type",
      "the question type is not set or not known; say SINGLE_CHOICE, MULTIPLE_CHOICE or TRUE_FALSE",
    );
  return rules.check({ ...question, media: media.media });
}

function checkAllMedia(given: readonly Media[]): { kind: "valid"; media: Media[] } | Breach {
  if (given.length > LIMITS.MEDIA_MAX)
    return breach("media", `there are ${given.length} media files; keep ${LIMITS.MEDIA_MAX}`);
  const media: Media[] = [];
  for (const each of given) {
    const checked = checkMedia(each);
    if (checked.kind === "invalid") return breach("media", checked.message);
    media.push(checked.media);
  }
  return { kind: "valid", media };
}

function textBreach(question: Question): Breach | undefined {
  const fault = textFault(question.question, { max: LIMITS.QUESTION_MAX, lines: true });
  if (fault) return breach("question", `the question ${fault}`);
  for (const [field, what, texts] of [
    ["options", "an option", question.options],
    ["answer", "a right answer", question.answer],
  ] as const)
    for (const text of texts) {
      const fault = textFault(text, { max: LIMITS.OPTION_MAX });
      if (fault) return breach(field, `${what} ${fault}`);
    }
  const bounds = { max: LIMITS.EXPLANATION_MAX, lines: true, optional: true };
  const wrong = textFault(question.explanation, bounds);
  return wrong ? breach("explanation", `the explanation ${wrong}`) : undefined;
}

function numberBreach(question: Question): Breach | undefined {
  const { SECONDS_MIN, SECONDS_MAX, POINTS_MAX } = LIMITS;
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
