/** Fingerprints: of a quiz, so that an import can be repeated; of a question, so that none is drawn twice. */
import { createHash } from "node:crypto";
import { type JsonObject, toJson } from "@bufbuild/protobuf";
import type { QuizContent } from "@fanfare/proto/questions/check-quiz";
import { type Question, QuestionSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";

/** Title, tags and questions in the proto3 JSON form of Quiz: what the bank stores as the document. */
export function toDocument(content: QuizContent): JsonObject {
  const { title, tags, questions } = content;
  return {
    title,
    tags: [...tags],
    questions: questions.map((question) => toJson(QuestionSchema, question)),
  };
}

/** The same for the same document, in hex. */
export function hashOfDocument(document: JsonObject): string {
  const { title, tags, questions } = document;
  return sha256(JSON.stringify([title, tags, questions]));
}

/** A UUID that questions share which ask the same and have the same right answer, letter case and all. */
export function questionKey(question: Question): string {
  const texts = [question.question, ...[...question.answer].sort()];
  const hex = sha256(JSON.stringify(texts));
  return [0, 8, 12, 16, 20].map((at, i) => hex.slice(at, [8, 12, 16, 20, 32][i])).join("-");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
