/** One or more options are right; only the exact set scores. */
import { areOffered, type QuestionRules } from "./question-type.js";

export const multipleChoice: QuestionRules = {
  check: ({ question }, choices) =>
    choices.length > 0 && areOffered(question?.options ?? [], choices),
  isCorrect: ({ answer }, choices) =>
    choices.length === answer.length && choices.every((choice) => answer.includes(choice)),
};
