/**
 * True or false: the answer is one of these words, whatever two words players are shown for them. The
 * order never changes, so it tells nothing.
 */
import { breach, optionsBreach, type QuestionTypeRules } from "./rules.js";
import { quoted } from "./text.js";

/** The stored answers, in the order of the words that are shown for them. */
const ANSWERS = ["true", "false"] as const;
const WORDS = ["True", "False"];

export const trueFalse: QuestionTypeRules = {
  check(question) {
    const { answer } = question;
    if (question.options.length !== 0 && question.options.length !== 2)
      return breach(
        "options",
        `true or false has ${question.options.length} options; give none, or the two words for true and false`,
      );
    const faulty = question.options.length === 2 && optionsBreach(question.options);
    if (faulty) return faulty;
    // "False", "True" in this order say the same as the other way round: the words are not the author's.
    const options =
      question.options.map(trueOrFalse).join() === "false,true"
        ? question.options.toReversed()
        : question.options;
    const [given] = answer;
    if (given === undefined || answer.length > 1)
      return breach("answer", 'the right answer must be either "true" or "false"');
    const meant = ANSWERS[options.indexOf(given)] ?? trueOrFalse(given);
    if (!meant) {
      const words = options.length === 2 ? `, or ${options.map(quoted).join(" or ")}` : "";
      return breach(
        "answer",
        `the right answer must be "true" or "false"${words}, not ${quoted(given)}`,
      );
    }
    return { kind: "valid", question: { ...question, options, answer: [meant] } };
  },
  shown({ options, answer }) {
    const texts = options.length === 2 ? options : WORDS;
    return { texts, right: texts.filter((_, i) => ANSWERS[i] === answer[0]) };
  },
  shuffles: false,
};

/** "true" and "false" are words of the format, which people and programs write in any case. */
export function trueOrFalse(text: string): (typeof ANSWERS)[number] | undefined {
  return ANSWERS.find((word) => word === text.toLowerCase());
}
