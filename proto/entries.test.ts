/** Entries of the log at their edges: every reader of the log reads by these rules. */
import {
  create,
  type DescMessage,
  fromJsonString,
  type MessageInitShape,
  toJsonString,
} from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { storedSubject, subjectForAnswers } from "./addresses.js";
import { readAnswers, readEntry, readPlayers } from "./entries.js";
import {
  type AnswerBatch,
  AnswerBatchSchema,
  PlayerBatchSchema,
  RoundClosedSchema,
  SessionCreatedSchema,
  SessionEndedSchema,
} from "./gen/events/v1/events_pb.js";
import { PlayerStatus } from "./gen/quiz/v1/quiz_service_pb.js";
import { faultOfScore } from "./scores.js";

const NUL = "\u0000";
const utf8 = new TextEncoder();

const read = (last: string, text: string) =>
  readEntry({ subject: `LOG.3.quiz_1.${last}`, data: utf8.encode(text) });

function json<D extends DescMessage>(schema: D, init: MessageInitShape<D>): string {
  return toJsonString(schema, create(schema, init));
}

test.each([
  ["without seats", { moveId: "m", toLane: 1, seats: 0 }],
  ["to no lane", { moveId: "m", toLane: 100, seats: 1 }],
  ["without an id", { moveId: "", toLane: 1, seats: 1 }],
])("a move of seats %s is garbage", (_, value) => {
  const batch = json(PlayerBatchSchema, { changes: [{ change: { case: "given", value } }] });
  expect(read("0._p0", batch)).toMatchObject({ kind: "unreadable", fault: "bounds" });
});

describe("each kind of entry", () => {
  const created = create(SessionCreatedSchema, { title: "Tour", rounds: 3, host: "h" });
  const closed = create(RoundClosedSchema, { answers: 2, points: -5n });
  const players = create(PlayerBatchSchema, {
    batchId: "b",
    changes: [
      { change: { case: "joined", value: { playerId: "p1", nickname: "Ann" } } },
      { change: { case: "removed", value: { playerId: "p0", status: PlayerStatus.KICKED } } },
      { change: { case: "given", value: { moveId: "m1", toLane: 3, seats: 2 } } },
      { change: { case: "taken", value: { moveId: "m2", seats: 1 } } },
    ],
    closed: true,
  });
  const batch = create(AnswerBatchSchema, { answers: [{ playerId: "p1", points: 5 }] });
  test.each([
    [
      "0._session",
      toJsonString(SessionCreatedSchema, created),
      { kind: "sessionCreated", created },
    ],
    ["0._p0", toJsonString(PlayerBatchSchema, players), { kind: "players", batch: players }],
    ["2._0", toJsonString(AnswerBatchSchema, batch), { kind: "answers", batch }],
    ["2._closed", toJsonString(RoundClosedSchema, closed), { kind: "roundClosed", closed }],
    ["0._ended", json(SessionEndedSchema, {}), { kind: "sessionEnded" }],
    ["2.ann", "20", { kind: "score", outsider: "ann", points: 20 }],
  ])("%s is read", (last, text, expected) => {
    const round = Number(last.split(".")[0]);
    expect(read(last, text)).toEqual({ sessionId: "quiz_1", round, ...expected });
  });

  test("is passed over with the reason where it can't be read", () => {
    const reasons = [
      read("1._tomorrow", "{}"),
      read("1.ann", "twenty"),
      read("1._0", '{"answers":'),
      read("1._0", '{"answers":[{"playerId":"p1"},{"playerId":"a b"}]}'),
      readEntry({ subject: "LOG.3.quiz_1.1._0", data: new Uint8Array([0x22, 0xff]) }),
    ];
    expect(reasons).toEqual([
      expect.objectContaining({ fault: "subject", reason: expect.stringContaining("_tomorrow") }),
      { kind: "unreadable", fault: "content", reason: "not a decimal number" },
      expect.objectContaining({ fault: "content", reason: expect.stringContaining("JSON") }),
      { kind: "unreadable", fault: "bounds", reason: "answer 2: the player id is not a token" },
      expect.objectContaining({ fault: "content" }),
    ]);
  });
});

describe("what PostgreSQL can't hold is garbage for every reader", () => {
  const joined = (value: object) =>
    json(PlayerBatchSchema, { changes: [{ change: { case: "joined", value } }] });
  const removed = (status: number) =>
    json(PlayerBatchSchema, {
      changes: [{ change: { case: "removed", value: { playerId: "p", status } } }],
    });
  test.each([
    ["a title", "0._session", json(SessionCreatedSchema, { title: `a${NUL}b` })],
    ["a host", "0._session", json(SessionCreatedSchema, { host: NUL })],
    ["a nickname", "0._p0", joined({ playerId: "p", nickname: NUL })],
    ["a user", "0._p0", joined({ playerId: "p", user: `u${NUL}` })],
    ["a player id", "0._p0", joined({ playerId: NUL })],
    ["a player id that is no token", "0._p0", joined({ playerId: "a b", nickname: "Ann" })],
    ["a name too long for an index", "0._p0", joined({ playerId: "p", user: "u".repeat(1_001) })],
    ["a status of another version", "0._p0", removed(99_999)],
    ["a choice", "1._0", `{"answers":[{"playerId":"p","choices":["A\\u0000"]}]}`],
    ["a choice's bar", "1._closed", json(RoundClosedSchema, { distribution: [{ choice: NUL }] })],
    ["more answers than int4", "1._closed", json(RoundClosedSchema, { answers: 2 ** 31 })],
    ["more rounds than int4", "0._session", json(SessionCreatedSchema, { rounds: 2 ** 32 - 1 })],
  ])("%s", (_, last, text) => {
    expect(read(last, text)).toMatchObject({ kind: "unreadable" });
  });

  test("but not a backslash before u0000, which somebody typed", () => {
    const title = "\\u0000 and \\\\u0000";
    const text = json(SessionCreatedSchema, { title });
    expect(read("0._session", text)).toMatchObject({ created: { title } });
    expect(read("0._session", json(SessionCreatedSchema, { title: `\\${NUL}` }))).toMatchObject({
      fault: "content",
    });
  });
});

describe("an answer batch", () => {
  test("is read in every form that proto3 JSON allows", () => {
    const text = `{"batch_id":"b","fieldOfTomorrow":1,"closed":null,"answers":[
      {"player_id":"ann","points":"870","elapsed_ms":2600},
      {"playerId":"bob","points":null,"elapsedMs":4e3},
      {"playerId":"c\\u0079","points":-50,"elapsed_ms":1}]}`;
    expect(read("1._0", text)).toMatchObject({
      batch: {
        batchId: "b",
        closed: false,
        answers: [
          { playerId: "ann", points: 870, elapsedMs: 2_600 },
          { playerId: "bob", points: 0, elapsedMs: 4_000 },
          { playerId: "cy", points: -50, elapsedMs: 1 },
        ],
      },
    });
  });

  test("is what the generated schema reads, or garbage, whatever its fields hold", () => {
    let readable = 0;
    fc.assert(
      fc.property(anyBatch(), fc.boolean(), (value, escapes) => {
        const text = escapes ? escaped(JSON.stringify(value)) : JSON.stringify(value);
        const expected = bySchema(text);
        if (expected) readable++;
        expect(readAnswers(utf8.encode(text))).toEqual(expected);
        const stored = {
          subject: storedSubject(subjectForAnswers("s", 1, 0)),
          data: utf8.encode(text),
        };
        expect(readEntry(stored).kind).toBe(expected ? "answers" : "unreadable");
      }),
      { numRuns: 1_000 },
    );
    // Both outcomes must have been tried.
    expect(readable).toBeGreaterThan(100);
    expect(readable).toBeLessThan(950);
  });
});

test("a player batch is read or garbage, and never throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => utf8.encode(text)),
      ),
      (data) => {
        const batch = readPlayers(data);
        expect(batch === undefined || Array.isArray(batch.changes)).toBe(true);
      },
    ),
  );
});

/** The reference: the generated reader, then the rules. */
function bySchema(text: string): AnswerBatch | undefined {
  try {
    const batch = fromJsonString(AnswerBatchSchema, text, { ignoreUnknownFields: true });
    return batch.answers.some(faultOfScore) || holdsNul(JSON.parse(text)) ? undefined : batch;
  } catch {
    return undefined;
  }
}

function holdsNul(value: unknown): boolean {
  if (typeof value === "string") return value.includes(NUL);
  return typeof value === "object" && value !== null && Object.entries(value).flat().some(holdsNul);
}

/** Batches that are mostly right, with fields of wrong types, other spellings and unknown names. */
function anyBatch() {
  const odd: fc.Arbitrary<unknown> = fc.oneof(
    fc.constantFrom(null, true, -0, 0.5, 1e300, -1, 2 ** 31, 2 ** 32, "5", "5.0", "x", "", [], {}),
    fc.constantFrom("\ud800", NUL, `\\u0000`, "é🎺", ["A", null], [7], { a: 1 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const mostly = <T>(good: fc.Arbitrary<T>) =>
    fc.oneof({ arbitrary: good, weight: 60 }, { arbitrary: odd, weight: 1 });
  const answer = fc
    .record(
      {
        playerId: mostly(fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/)),
        submissionId: mostly(fc.string()),
        points: mostly(fc.integer({ min: -1_000_000, max: 1_000_000 })),
        correct: mostly(fc.boolean()),
        choices: mostly(fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 })),
        elapsedMs: mostly(fc.nat(240_000)),
        streak: mostly(fc.nat(500)),
      },
      { requiredKeys: ["playerId"] },
    )
    .chain((given) => respelled(given, ["player_id", "submission_id", "elapsed_ms", "later"]));
  const batch = fc.record(
    {
      batchId: mostly(fc.string()),
      answers: mostly(fc.array(mostly(answer), { maxLength: 4 })),
      closed: mostly(fc.boolean()),
    },
    { requiredKeys: [] },
  );
  return fc.oneof(
    { arbitrary: batch.chain((given) => respelled(given, ["batch_id", "later"])), weight: 40 },
    { arbitrary: odd, weight: 1 },
  );

  /** Seldom with one more key: the proto's spelling of a field, or an unknown one. */
  function respelled(given: object, names: string[]): fc.Arbitrary<object> {
    const more = fc.tuple(fc.constantFrom(...names), fc.oneof(fc.constant("p1"), odd));
    return fc.oneof(
      { arbitrary: fc.constant(given), weight: 20 },
      { arbitrary: more.map(([name, value]) => ({ ...given, [name]: value })), weight: 1 },
    );
  }
}

/** The same JSON with its letters as escapes. */
function escaped(text: string): string {
  return text.replace(/[a-c](?![a-z]*\\)/g, (letter) => {
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
