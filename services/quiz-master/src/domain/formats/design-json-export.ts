/** Writes one quiz in the design document's JSON form, which readDesignJson reads back the same. */
import { type JsonObject, toJson } from "@bufbuild/protobuf";
import type { QuizContent } from "@fanfare/proto/questions/check-quiz";
import { kindOfReference } from "@fanfare/proto/questions/media";
import { type Question, QuestionSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";

/** UTF-8, indented, for people to read and edit. */
export function writeDesignJson({ title, tags, questions }: QuizContent): Uint8Array {
  const document = { title, tags, questions: questions.map(writeQuestion) };
  return new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`);
}

function writeQuestion(question: Question): JsonObject {
  const json = toJson(QuestionSchema, question) as JsonObject;
  const [answer, ...more] = question.answer;
  if (answer !== undefined && more.length === 0) json.answer = answer;
  if (question.media.length > 0)
    json.media = question.media.map((file, i) => {
      const isPlain = file.description === "" && file.kind === kindOfReference(file.url);
      return isPlain ? file.url : ((json.media as JsonObject[])[i] ?? {});
    });
  return json;
}
