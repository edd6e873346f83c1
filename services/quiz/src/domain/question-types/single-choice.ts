/** Exactly one of the options is right. */
import { areOffered, type QuestionRules } from "./question-type.js";

export const singleChoice: QuestionRules = {
  check: ({ question }, choices) =>
    choices.length === 1 && areOffered(question?.options ?? [], choices),
  isCorrect: ({ answer }, [choice]) => choice === answer[0],
};
