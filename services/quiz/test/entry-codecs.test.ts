/** The short way of writing an answer entry against the generated one. */
import { create, toJson } from "@bufbuild/protobuf";
import { AnswerBatchSchema, ScoredAnswerSchema } from "@fanfare/proto/events/v1/events";
import fc from "fast-check";
import { expect, test } from "vitest";
import { answerCodec } from "../src/adapters/entry-codecs.js";

test("answer entries are what the generated encoder writes, and read back the same", () => {
  const answer = fc.record({
    playerId: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
    submissionId: fc.stringMatching(/^[A-Za-z0-9_-]{0,64}$/),
    points: fc.integer({ min: -20_000, max: 20_000 }),
    correct: fc.boolean(),
    choices: fc.array(fc.string({ unit: "grapheme" }), { maxLength: 8 }),
    elapsedMs: fc.nat(1_000_000),
    streak: fc.nat(500),
  });
  fc.assert(
    fc.property(fc.array(answer), fc.boolean(), (given, closed) => {
      const changes = given.map((each) => create(ScoredAnswerSchema, each));
      const data = answerCodec.encode({ batchId: "b", changes, closed });
      const batch = create(AnswerBatchSchema, { batchId: "b", answers: changes, closed });
      expect(JSON.parse(new TextDecoder().decode(data))).toEqual(toJson(AnswerBatchSchema, batch));
      expect(answerCodec.decode(data)).toEqual({ changes, closed });
    }),
  );
});
