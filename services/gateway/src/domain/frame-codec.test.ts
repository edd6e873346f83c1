import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AnswerState,
  ClientFrameSchema,
  ServerFrameSchema,
} from "@fanfare/proto/gateway/v1/frames";
import { Phase } from "@fanfare/proto/quiz/v1/session";
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

test("a hello that joins is read as the generated codec reads it, or is a fault", () => {
  const wild = (plain: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 4, arbitrary: plain }, fc.jsonValue(), fc.constant("\ud800"));
  const join = fc.record(
    { pin: wild(text), sessionId: wild(text), nickname: wild(text), submissionId: wild(text) },
    { requiredKeys: [] },
  );
  const hellos = fc.record(
    { protocolVersion: wild(uint), join: wild(join), watch: wild(text), sessionId: wild(text) },
    { requiredKeys: ["protocolVersion", "join"] },
  );
  fc.assert(
    fc.property(hellos, (hello) => {
      const frame = JSON.stringify({ hello });
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

test("the hello and joined frames are written as the generated codec writes them", () => {
  const times = fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.constant(1_700_000_000_000));
  fc.assert(
    fc.property(uint, times, uint, (protocolVersion, nowMs, heartbeatSeconds) => {
      const serverTime = timestampFromMs(nowMs);
      expect(new FrameEncoder().hello(protocolVersion, nowMs, heartbeatSeconds).text).toBe(
        generated({ case: "hello", value: { protocolVersion, serverTime, heartbeatSeconds } }),
      );
    }),
  );
  const joined = fc.record(
    {
      sessionId: text,
      playerId: text,
      nickname: text,
      resumeToken: text,
      phase: fc.constantFrom(Phase.UNSPECIFIED, Phase.LOBBY, Phase.OPEN, Phase.ENDED),
      round: uint,
      rounds: uint,
      title: text,
      pin: text,
      role: text,
      points: int,
      rank: uint,
      answerState: fc.constantFrom(AnswerState.UNSPECIFIED, AnswerState.NONE, AnswerState.PENDING),
      answer: fc.record({ round: uint, choices: fc.array(text), submissionId: text }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(joined, fc.boolean(), ({ answer, ...value }, hasAnswer) => {
      const frame = { ...value, ...(hasAnswer ? { answer } : {}) };
      expect(new FrameEncoder().joined(frame).text).toBe(
        generated({ case: "joined", value: frame }),
      );
    }),
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
    answerState: fc.constantFrom(AnswerState.NONE, AnswerState.STORED, AnswerState.PENDING),
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
