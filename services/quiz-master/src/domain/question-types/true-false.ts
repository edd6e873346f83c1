/** True or false: the answer is one of these words, whatever two words players are shown for them. */
import { comparisonKey, quoted } from "../text.js";
import { breach, optionsBreach, type QuestionTypeRules } from "./rules.js";

/** The stored answers, in the order of the words that are shown for them. */
export const TRUE_FALSE_ANSWERS = ["true", "false"] as const;

export const trueFalse: QuestionTypeRules = {
  check(question) {
    const { options, answer } = question;
    if (options.length !== 0 && options.length !== 2)
      return breach(
        "options",
        `true or false has ${options.length} options; give none, or the two words for true and false`,
      );
    const faulty = options.length === 2 && optionsBreach(options);
    if (faulty) return faulty;
    const [given] = answer;
    if (given === undefined || answer.length > 1)
      return breach("answer", 'the right answer must be either "true" or "false"');
    const key = comparisonKey(given);
    const meant =
      TRUE_FALSE_ANSWERS.find((word) => word === key) ??
      TRUE_FALSE_ANSWERS[options.findIndex((word) => comparisonKey(word) === key)];
    if (!meant)
      return breach("answer", `the right answer must be "true" or "false", not ${quoted(given)}`);
    return { kind: "valid", question: { ...question, answer: [meant] } };
  },
};
