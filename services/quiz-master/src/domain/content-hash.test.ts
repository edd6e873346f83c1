import { create } from "@bufbuild/protobuf";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { QuestionSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { expect, test } from "vitest";
import { hashOfDocument, questionKey, toDocument } from "./content-hash.js";

const question = create(QuestionSchema, {
  type: QuestionType.SINGLE_CHOICE,
  question: "1+1=?",
  options: ["1", "2"],
  answer: ["2"],
});
const quiz = { title: "Sums", tags: ["maths"], questions: [question] };

test("the same content has the same hash, any change another", () => {
  const hash = hashOfDocument(toDocument(quiz));
  expect(hashOfDocument(toDocument(structuredClone(quiz)))).toBe(hash);
  const changed = [
    { ...quiz, title: "Sum" },
    { ...quiz, tags: [] },
    { ...quiz, questions: [question, question] },
    { ...quiz, questions: [{ ...question, points: 0 }] },
  ].map((each) => hashOfDocument(toDocument(each)));
  expect(new Set([hash, ...changed]).size).toBe(5);
});

test("a question is the same whatever its wrong options are", () => {
  const same = { ...question, question: "1+1=?", options: ["2", "3"] };
  expect(questionKey(same)).toBe(questionKey(question));
  expect(questionKey({ ...question, answer: ["1"] })).not.toBe(questionKey(question));
  const cobalt = { ...question, options: ["Co", "CO"], answer: ["Co"] };
  expect(questionKey({ ...cobalt, answer: ["CO"] })).not.toBe(questionKey(cobalt));
  expect(questionKey(question)).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});
