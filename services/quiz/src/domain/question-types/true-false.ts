/** A statement that is true or false. The order never changes, so it tells nothing. */
import { areOffered, faultOfOptions, type QuestionRules } from "./question-type.js";

const WORDS = ["True", "False"];

export const trueFalse: QuestionRules = {
  shuffles: false,
  validate({ options, answer }) {
    if (options.length !== 0 && options.length !== 2)
      return { field: "options", message: "leave empty, or give the words for true and false" };
    if (answer.length !== 1 || !["true", "false"].includes(answer[0] ?? ""))
      return { field: "answer", message: 'must be "true" or "false"' };
    return faultOfOptions(options);
  },
  options({ options, answer }) {
    const texts = options.length === 2 ? options : WORDS;
    return { texts, right: texts.filter((_, i) => (i === 0) === (answer[0] === "true")) };
  },
  check: ({ question }, choices) =>
    choices.length === 1 && areOffered(question?.options ?? [], choices),
  isCorrect: ({ answer }, [choice]) => choice === answer[0],
};
