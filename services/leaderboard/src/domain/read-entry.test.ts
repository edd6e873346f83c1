import { create, type DescMessage, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import {
  nicknameKey,
  storedSubject,
  subjectForAnswers,
  subjectForPlayers,
  subjectForRoundClosed,
  subjectForScore,
  subjectForSessionCreated,
  subjectForSessionEnded,
} from "@fanfare/proto/addresses";
import {
  AnswerBatchSchema,
  PlayerBatchSchema,
  RoundClosedSchema,
  SessionCreatedSchema,
  SessionEndedSchema,
} from "@fanfare/proto/events/v1/events";
import { describe, expect, test } from "vitest";
import { readEntry } from "./read-entry.js";
import { pack } from "./score-key.js";

function entry(published: string, content: string | Uint8Array) {
  const data = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { subject: storedSubject(published), data };
}

function json<D extends DescMessage>(schema: D, init: MessageInitShape<D>): string {
  return toJsonString(schema, create(schema, init));
}

const answers = (content: string) => readEntry(entry(subjectForAnswers("quiz_1", 3, 0), content));

describe("an answer batch", () => {
  test("gives each player's packed score", () => {
    const content = json(AnswerBatchSchema, {
      batchId: "b",
      answers: [
        { playerId: "ann", points: 870, elapsedMs: 2_600, correct: true, choices: ["A"] },
        { playerId: "bob", elapsedMs: 4_000 },
        { playerId: "cy", points: -50, elapsedMs: 1 },
      ],
    });
    expect(answers(content)).toEqual({
      kind: "scores",
      sessionId: "quiz_1",
      round: 3,
      lane: true,
      nameKey: "",
      scorers: ["ann", "bob", "cy"],
      packed: [pack({ points: 870, elapsedMs: 2_600 }), 4_000, pack({ points: -50, elapsedMs: 1 })],
      points: 820,
    });
  });

  test("that only closes its lane brings nothing", () => {
    const content = json(AnswerBatchSchema, { batchId: "b", closed: true });
    expect(answers(content)).toMatchObject({ kind: "scores", scorers: [], points: 0 });
  });

  test("with a score out of bounds brings nothing at all, and says why", () => {
    expect(answers('{"answers":[{"playerId":"ann"},{"playerId":"b.b"}]}')).toEqual({
      kind: "unreadable",
      fault: "bounds",
      reason: "answer 2: the player id is not a token",
    });
  });
});

test("an outside score is one player's, without a time", () => {
  const published = subjectForScore({ sessionId: "quiz_1", round: 1, outsider: "someusername" });
  expect(readEntry(entry(published, "20"))).toEqual({
    kind: "scores",
    sessionId: "quiz_1",
    round: 1,
    lane: false,
    nameKey: nicknameKey("someusername"),
    scorers: ["@someusername"],
    packed: [pack({ points: 20, elapsedMs: 0 })],
    points: 20,
  });
});

test("a player batch says who came and who went", () => {
  const content = json(PlayerBatchSchema, {
    changes: [
      {
        change: { case: "joined", value: { playerId: "p1", nickname: "Ann", nicknameKey: "ann" } },
      },
      { change: { case: "removed", value: { playerId: "p0", nicknameKey: "bob", status: 2 } } },
      { change: { case: "joined", value: { playerId: "p2", nickname: "Cy" } } },
      { change: { case: "removed", value: { playerId: "p3", nicknameKey: "eve", status: 3 } } },
      {},
    ],
  });
  expect(readEntry(entry(subjectForPlayers("quiz_1", 0), content))).toEqual({
    kind: "players",
    sessionId: "quiz_1",
    joined: [
      { playerId: "p1", nickname: "Ann", nameKey: "ann" },
      { playerId: "p2", nickname: "Cy", nameKey: "" },
    ],
    removed: [
      { playerId: "p0", nameKey: "bob", banned: false, logStart: 0n },
      { playerId: "p3", nameKey: "eve", banned: true, logStart: 0n },
    ],
  });
});

test.each([
  [subjectForSessionCreated("s"), json(SessionCreatedSchema, {}), { kind: "created", live: false }],
  [
    subjectForSessionCreated("s"),
    json(SessionCreatedSchema, { options: { liveBoard: true } }),
    { kind: "created", live: true },
  ],
  [
    subjectForRoundClosed("s", 2),
    json(RoundClosedSchema, { answers: 3, points: 2_000n }),
    { kind: "closed", round: 2, answers: 3, points: 2_000n },
  ],
  [subjectForSessionEnded("s"), json(SessionEndedSchema, { rounds: 2 }), { kind: "ended" }],
])("%s is read", (published, content, expected) => {
  expect(readEntry(entry(published, content))).toEqual({ sessionId: "s", ...expected });
});

test.each([
  ["LOG.3.quiz_1.1._tomorrow", "_tomorrow is not an entry kind that this version knows"],
  ["LOG.3.quiz 1.1.bob", "no session is called so"],
  ["LOG.3.quiz_1.one.bob", "no round is called so"],
  ["LOG.3.quiz_1.1.b*b", "no user is called so"],
])("%s is nothing that can be read", (subject, reason) => {
  const data = new TextEncoder().encode("20");
  expect(readEntry({ subject, data })).toEqual({
    kind: "unreadable",
    fault: "subject",
    reason: expect.stringContaining(`${reason}: scores go to QUIZ.<session>.<round>.<user>`),
  });
});
