import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { ClientFrameSchema, ServerFrameSchema } from "@fanfare/proto/gateway/v1/frames";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeClientFrame, FrameEncoder, type ServerFrameInit } from "./frame-codec.js";

function generated(frame: ServerFrameInit): string {
  const message = create(ServerFrameSchema, { frame });
  return toJsonString(ServerFrameSchema, message, { alwaysEmitImplicit: true });
}

const uint = fc.integer({ min: 0, max: 0xffff_ffff });
const int = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const text = fc.string({ unit: "binary" }).filter((each) => !/[\ud800-\udfff]/u.test(each));

test("an answer is read as the generated codec reads it", () => {
  fc.assert(
    fc.property(uint, fc.array(text), text, (round, choices, submissionId) => {
      const frame = JSON.stringify({ answer: { round, choices, submissionId } });
      expect(decodeClientFrame(frame)).toEqual(fromJsonString(ClientFrameSchema, frame).frame);
    }),
  );
});

test("whatever JSON comes is read as the generated codec reads it, or is a fault", () => {
  const answers = fc.record(
    { round: fc.jsonValue(), choices: fc.jsonValue(), submissionId: fc.jsonValue() },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(answers, (answer) => {
      const frame = JSON.stringify({ answer });
      let expected: unknown = "a fault";
      try {
        expected = fromJsonString(ClientFrameSchema, frame).frame;
      } catch {
        // It must be a fault here, too.
      }
      const read = decodeClientFrame(frame);
      if (expected === "a fault") expect(typeof read).toBe("string");
      else expect(read).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
});

test("an acknowledgement is written as the generated codec writes it", () => {
  fc.assert(
    fc.property(uint, text, (round, submissionId) => {
      expect(new FrameEncoder().accepted({ round, submissionId }).text).toBe(
        generated({ case: "accepted", value: { round, submissionId } }),
      );
    }),
  );
});

test("an own result is written as the generated codec writes it", () => {
  const result = fc.record({
    round: uint,
    answered: fc.boolean(),
    correct: fc.boolean(),
    points: int,
    total: int,
    rank: uint,
    change: int,
    gap: uint,
    streak: uint,
    players: uint,
    stale: fc.boolean(),
  });
  fc.assert(
    fc.property(result, (value) => {
      expect(new FrameEncoder().ownResult(value).text).toBe(
        generated({ case: "ownResult", value }),
      );
    }),
  );
});

test("fields that hold their default are written, and every encoding is counted by type", () => {
  const encoded: string[] = [];
  const encoder = new FrameEncoder((type) => encoded.push(type));
  const { text } = encoder.encode({ case: "lobby", value: { players: 0, locked: false } });
  expect(text).toBe('{"lobby":{"players":0,"locked":false}}');
  encoder.accepted({ round: 1, submissionId: "s" });
  expect(encoded).toEqual(["lobby", "accepted"]);
});
