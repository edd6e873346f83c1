/** Quizzes that are sent along with CreateSession are held to the rules of the bank. */
import { ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Pod, type Stores, startPod, startStores } from "./pods.js";

let stores: Stores;
let pod: Pod;

beforeAll(async () => {
  stores = await startStores();
  pod = await startPod(stores);
});

afterAll(async () => {
  await pod.stop();
  await stores[Symbol.asyncDispose]();
});

/** A session of these questions, ended at once, as its own export tells it. */
async function played(...questions: object[]) {
  const value = { title: " Elements ", questions } as never;
  const { session } = await pod.client.createSession({ source: { case: "quiz", value } });
  const sessionId = session?.sessionId ?? "";
  expect(session?.title).toBe("Elements");
  await pod.client.endSession({ sessionId });
  const { quiz } = await pod.client.exportQuiz({ sessionId });
  return (quiz?.questions ?? []).map(({ question, answer }) => ({
    type: question?.type,
    options: question?.options.map(({ text }) => text).sort(),
    right: question?.options
      .filter(({ choice }) => answer.includes(choice))
      .map(({ text }) => text),
  }));
}

async function refusalOf(...questions: object[]) {
  const thrown = await played(...questions).catch((error: unknown) => error);
  if (thrown instanceof ServiceError) return thrown;
  throw new Error("the quiz was not refused");
}

test("a type that is not said is inferred, as it is in an import", async () => {
  const found = await played(
    { question: "Cobalt?", options: ["CO", "Co", "C"], answer: ["Co"] },
    { question: "Cobalt is a metal.", answer: ["true"] },
    { question: "Cobalt is a gas.", options: ["True", "False"], answer: ["False"] },
  );
  expect(found).toEqual([
    { type: QuestionType.SINGLE_CHOICE, options: ["C", "CO", "Co"], right: ["Co"] },
    { type: QuestionType.TRUE_FALSE, options: ["False", "True"], right: ["True"] },
    { type: QuestionType.TRUE_FALSE, options: ["False", "True"], right: ["False"] },
  ]);
});

test("options that differ by outer space alone are refused by number and field", async () => {
  const good = { question: "Cobalt?", options: ["Co", "CO"], answer: ["Co"] };
  const refusal = await refusalOf(good, { ...good, options: ["Co", "Co\u00a0"] });
  expect(refusal.reason).toBe(ErrorReason.QUIZ_INVALID);
  expect(refusal.metadata).toEqual({ question: "2", field: "options" });
});

test("media that no page would load are refused, as the bank does", async () => {
  const refusal = await refusalOf({
    question: "Cobalt?",
    options: ["Co", "CO"],
    answer: ["Co"],
    media: [{ kind: 1, url: "http://pictures.example/co.png" }],
  });
  expect(refusal.metadata).toEqual({ question: "1", field: "media" });
});

test("a quiz that is too large is refused with how many of its questions fit", async () => {
  const option = (first: string) => first + "史".repeat(199);
  const question = {
    question: "歴".repeat(500),
    options: ["い", "ろ"].map(option),
    answer: [option("い")],
  };
  const refusal = await refusalOf(...Array.from({ length: 400 }, () => question));
  expect(refusal.reason).toBe(ErrorReason.TOO_LARGE);
  const fits = Number(/the first (\d+) fit/.exec(refusal.message)?.[1]);
  const found = await played(...Array.from({ length: fits }, () => question));
  expect(found).toHaveLength(fits);
});
