/** The quizzes that come with Fanfare keep the rules of the bank. */
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { describe, expect, test } from "vitest";
import { DEMO_QUIZ } from "./demo-quiz.js";
import { landsOfPackage, worldQuizzes } from "./world-quizzes.js";

const lands = landsOfPackage();
const world = worldQuizzes(lands);

describe.each([DEMO_QUIZ, ...world])("$title", ({ quizId, title, tags, questions }) => {
  test("has an id, a title and tags that the bank takes", () => {
    expect(quizId).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(title.length).toBeLessThanOrEqual(120);
    for (const tag of tags) expect(tag).toMatch(/^[a-z0-9-]{1,40}$/);
    expect(questions.length).toBeLessThanOrEqual(500);
  });

  test("offers each right answer among distinct options", () => {
    for (const { type, options, answer, question } of questions) {
      const texts = options as string[];
      if (type === QuestionType.TRUE_FALSE) {
        expect(["true", "false"], question).toContain(answer[0]);
        continue;
      }
      expect(new Set(texts).size, question).toBe(texts.length);
      expect(texts.length, question).toBeGreaterThanOrEqual(4);
      expect(texts, question).toEqual(expect.arrayContaining(answer as string[]));
      if (type === QuestionType.SINGLE_CHOICE) expect(answer, question).toHaveLength(1);
    }
  });

  test("asks nothing twice", () => {
    expect(new Set(questions.map(({ question }) => question)).size).toBe(questions.length);
  });
});

describe("the world", () => {
  test("is there with its capitals and flags, by region", () => {
    expect(lands.length).toBeGreaterThan(180);
    expect(world.map(({ quizId }) => quizId)).toEqual(
      ["africa", "americas", "asia", "europe", "oceania"].flatMap((region) => [
        `capitals-${region}`,
        `flags-${region}`,
      ]),
    );
  });

  test("is the same each time", () => {
    expect(worldQuizzes(landsOfPackage())).toEqual(world);
  });

  test("does not tell the answer by the place of the option", () => {
    const places = world
      .flatMap(({ questions }) => questions)
      .map(({ options, answer }) => (options as string[]).indexOf((answer as string[])[0] ?? ""));
    for (const place of [0, 1, 2, 3])
      expect(places.filter((each) => each === place).length / places.length).toBeGreaterThan(0.15);
  });
});

test("the demo quiz has questions of every type", () => {
  const types = new Set(DEMO_QUIZ.questions.map(({ type }) => type));
  expect(types).toEqual(
    new Set([QuestionType.SINGLE_CHOICE, QuestionType.MULTIPLE_CHOICE, QuestionType.TRUE_FALSE]),
  );
});
