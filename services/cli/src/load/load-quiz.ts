/** What a load plays: questions as long as real ones, so that frames weigh what frames weigh. */
import { QuestionType } from "@fanfare/proto/common/v1/question";

/** The right option of every question, by its text: every session shuffles anew. */
export const RIGHT = "The one that is right";
export const WRONG: readonly string[] = [
  "One that looks right at first",
  "One that was right last year",
  "One that nobody believes",
];

export function loadQuiz(rounds: number) {
  return {
    title: "Load",
    questions: Array.from({ length: rounds }, (_, i) => ({
      type: QuestionType.SINGLE_CHOICE,
      question: `Question ${i + 1}: which of these four answers, each as long as answers are, is it?`,
      options: [RIGHT, ...WRONG],
      answer: [RIGHT],
    })),
  };
}
