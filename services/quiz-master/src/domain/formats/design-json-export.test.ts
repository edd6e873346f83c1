import { create } from "@bufbuild/protobuf";
import { MediaKind, MediaSchema, QuestionType } from "@fanfare/proto/common/v1/question";
import { checkQuiz, type QuizContent } from "@fanfare/proto/questions/check-quiz";
import { QuestionSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readDesignJson } from "./design-json.js";
import { writeDesignJson } from "./design-json-export.js";

const text = (max: number) => fc.string({ unit: "binary", minLength: 1, maxLength: max });

const media = fc
  .record({
    kind: fc.constantFrom(MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO),
    url: fc.constantFrom("/a.mp3", "/media/b%20c.png", "https://cdn.example/d.mp4?x=1"),
    description: fc.oneof(fc.constant(""), text(10)),
  })
  .map((file) => create(MediaSchema, file));

const question = fc
  .record({
    type: fc.constantFrom(...([1, 2, 3] satisfies QuestionType[])),
    question: text(30),
    options: fc.uniqueArray(text(8), { minLength: 2, maxLength: 8 }),
    rights: fc.integer({ min: 1, max: 3 }),
    media: fc.array(media, { maxLength: 2 }),
    seconds: fc.constantFrom(0, 5, 240),
    points: fc.constantFrom(undefined, 0, 10_000),
    penalty: fc.constantFrom(0, 100),
    explanation: fc.oneof(fc.constant(""), text(20)),
  })
  .map(({ rights, points, ...rest }) =>
    create(QuestionSchema, {
      ...rest,
      ...(points === undefined ? {} : { points }),
      options:
        rest.type === QuestionType.TRUE_FALSE
          ? rest.options.slice(0, rights > 1 ? 2 : 0)
          : rest.options,
      answer:
        rest.type === QuestionType.TRUE_FALSE
          ? [rights > 1 ? "true" : "false"]
          : rest.options.slice(0, rest.type === QuestionType.SINGLE_CHOICE ? 1 : rights),
    }),
  );

/** Whatever the check lets into the bank. */
const content: fc.Arbitrary<QuizContent> = fc
  .record({
    title: text(20),
    tags: fc.array(fc.stringMatching(/^[a-z0-9-]{1,10}$/), { maxLength: 3 }),
    questions: fc.array(question, { minLength: 1, maxLength: 4 }),
  })
  .map(checkQuiz)
  .filter((checked) => checked.kind === "valid")
  .map((checked) => checked.content);

test("an exported quiz is imported as the identical quiz", () => {
  fc.assert(
    fc.property(content, (quiz) => {
      const file = writeDesignJson(quiz);
      const { quizzes, faults } = readDesignJson(file, {
        title: "",
        tags: [],
        questionsPerQuiz: 500,
      });
      // Warned of it may be: a text can look wrongly decoded by chance.
      expect(faults.list().filter(({ mended }) => !mended)).toEqual([]);
      expect(quizzes).toEqual([quiz]);
    }),
    { numRuns: 200 },
  );
});

test("the file has the form of the design document", () => {
  const quiz = {
    title: "Quiz title",
    tags: ["news"],
    questions: [
      create(QuestionSchema, {
        type: QuestionType.SINGLE_CHOICE,
        question: "1+1=?",
        options: ["1", "2"],
        answer: ["2"],
        media: [{ kind: MediaKind.IMAGE, url: "/media/sum.png" }],
      }),
    ],
  };
  expect(JSON.parse(Buffer.from(writeDesignJson(quiz)).toString())).toEqual({
    title: "Quiz title",
    tags: ["news"],
    questions: [
      {
        type: "QUESTION_TYPE_SINGLE_CHOICE",
        question: "1+1=?",
        options: ["1", "2"],
        answer: "2",
        media: ["/media/sum.png"],
      },
    ],
  });
});
