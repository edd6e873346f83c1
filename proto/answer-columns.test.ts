/** Answers and verdicts through their columns: what goes in comes out, and what does not fit is named. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  fromAnswerColumns,
  fromVerdictColumns,
  toAnswerColumns,
  toVerdictColumns,
} from "./answer-columns.js";
import { ErrorReason } from "./gen/common/v1/error_reason_pb.js";
import { LaneAnswersSchema, LaneVerdictsSchema } from "./gen/quiz/v1/quiz_service_pb.js";

/** Few characters, among them those that a joined text might trip over. */
const text = fc.string({ unit: fc.constantFrom("A", "B", ",", "\n", "\u0000", '"'), maxLength: 3 });

test("answers come out of the wire as they went in", () => {
  const answer = fc.record({
    playerId: fc.string(),
    submissionId: fc.string(),
    choices: fc.array(text, { maxLength: 3 }),
    elapsedMs: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 20 }), (answers) => {
      const request = create(LaneAnswersSchema, toAnswerColumns(answers));
      const lists = new Set(answers.map(({ choices }) => JSON.stringify(choices)));
      expect(request.choiceLists).toHaveLength(lists.size);
      const wire = toBinary(LaneAnswersSchema, request);
      expect(fromAnswerColumns(fromBinary(LaneAnswersSchema, wire))).toEqual(answers);
    }),
  );
});

test("verdicts come out of the wire as they went in", () => {
  const verdict = fc.record({
    refused: fc.constantFrom(ErrorReason.UNSPECIFIED, ErrorReason.ROUND_CLOSED),
    points: fc.integer({ min: -20_000, max: 20_000 }),
    correct: fc.boolean(),
    streak: fc.nat(500),
  });
  fc.assert(
    fc.property(fc.array(verdict), (verdicts) => {
      const response = create(LaneVerdictsSchema, toVerdictColumns(verdicts));
      const wire = toBinary(LaneVerdictsSchema, response);
      expect(fromVerdictColumns(fromBinary(LaneVerdictsSchema, wire))).toEqual(verdicts);
    }),
  );
});

const two = toAnswerColumns([
  { playerId: "ann", submissionId: "a", choices: ["A"], elapsedMs: 1 },
  { playerId: "bob", submissionId: "b", choices: ["B"], elapsedMs: 2 },
]);

test.each([
  ["submission_ids", { submissionIds: ["a"] }],
  ["submission_ids", { submissionIds: ["a", "b", "c"] }],
  ["chosen", { chosen: [0] }],
  ["chosen", { chosen: [0, 2] }],
  ["chosen", { choiceLists: [] }],
  ["elapsed_ms", { elapsedMs: [] }],
])("%s that do not fit the players are named: %j", (column, columns) => {
  expect(fromAnswerColumns({ ...two, ...columns })).toBe(column);
});

test("verdicts end with the shortest column", () => {
  const verdict = { refused: ErrorReason.UNSPECIFIED, points: 5, correct: true, streak: 1 };
  const columns = toVerdictColumns([verdict, verdict]);
  expect(fromVerdictColumns({ ...columns, points: [5] })).toEqual([verdict]);
});
