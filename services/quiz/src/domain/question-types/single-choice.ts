/** Exactly one of the options is right. */
import { areOffered, type QuestionRules, validateOptions } from "./question-type.js";

export const singleChoice: QuestionRules = {
  shuffles: true,
  validate: (question) =>
    validateOptions(question) ??
    (question.answer.length > 1
      ? {
          field: "answer",
          message: "a single choice has one right answer; make it multiple choice",
        }
      : undefined),
  options: ({ options, answer }) => ({ texts: options, right: answer }),
  check: ({ question }, choices) =>
    choices.length === 1 && areOffered(question?.options ?? [], choices),
  isCorrect: ({ answer }, [choice]) => choice === answer[0],
};
