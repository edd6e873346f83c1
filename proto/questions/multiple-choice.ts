/** Multiple choice: one or more of 2 to 8 options are right. */
import { answeredByOptions, breach, type QuestionTypeRules } from "./rules.js";

export const multipleChoice: QuestionTypeRules = {
  check(question) {
    if (question.answer.length === 0)
      return breach("answer", "there is no right answer; name at least one right option");
    return answeredByOptions(question);
  },
  shown: ({ options, answer }) => ({ texts: options, right: answer }),
  shuffles: true,
};
