/** A statement that is true or false. */
import { areOffered, type QuestionRules } from "./question-type.js";

export const trueFalse: QuestionRules = {
  check: ({ question }, choices) =>
    choices.length === 1 && areOffered(question?.options ?? [], choices),
  isCorrect: ({ answer }, [choice]) => choice === answer[0],
};
