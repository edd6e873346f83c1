/** Single choice: exactly one of 2 to 8 options is right. */
import { answeredByOptions, breach, type QuestionTypeRules } from "./rules.js";

export const singleChoice: QuestionTypeRules = {
  check(question) {
    const count = question.answer.length;
    if (count === 0) return breach("answer", "there is no right answer; name the right option");
    if (count > 1)
      return breach(
        "answer",
        `a single choice has exactly one right answer and this one has ${count}; keep one, or make it QUESTION_TYPE_MULTIPLE_CHOICE`,
      );
    return answeredByOptions(question);
  },
  shown: ({ options, answer }) => ({ texts: options, right: answer }),
  shuffles: true,
};
