/** The short way through a snapshot reads what the generated codec reads, and leaves the rest to it. */
import { create, fromJsonString, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
import { expect, test } from "vitest";
import { readBoard } from "./read-board.js";

const byCodec = (text: string) =>
  fromJsonString(LeaderboardChangedSchema, text, { ignoreUnknownFields: true });

const boards: Record<string, MessageInitShape<typeof LeaderboardChangedSchema>> = {
  "an empty one": {},
  "all fields": {
    ...{ sessionId: "quiz_1", epoch: 1_764_482_000_123_456n, version: 2n ** 63n - 1n, players: 2 },
    ...{ finalRound: 3, round: 4, answers: 17, joined: 20, ended: true },
    standings: [
      { playerId: "id1", nickname: 'Zoë "山" 🏴', points: -5, elapsedMs: 4_294_967_295, rank: 1 },
      { playerId: "ann", points: 2_147_483_647, rank: 2, outside: true },
    ],
    takenAt: timestampFromMs(1_764_482_000_007),
    changedSince: timestampFromMs(1_764_482_000_000),
  },
  "times at their edges": { takenAt: timestampFromMs(0), changedSince: timestampFromMs(999) },
  "the greatest version": { version: 2n ** 64n - 1n, epoch: 2n ** 64n - 1n },
  "a name with control characters": { standings: [{ nickname: "a\u0001\n\u2028" }] },
};

test.each(Object.entries(boards))("%s, as the leaderboard writes it", (_, init) => {
  const text = toJsonString(LeaderboardChangedSchema, create(LeaderboardChangedSchema, init));
  expect(readBoard(text)).toEqual(byCodec(text));
});

test.each([
  '{"session_id":"s","final_round":2}',
  '{"sessionId":null,"standings":null,"takenAt":null}',
  '{"epoch":7,"version":"8","players":"9","answers":1e1}',
  '{"takenAt":"2026-11-30T07:00:00.123456789Z"}',
  '{"takenAt":"2026-11-30T09:00:00+02:00"}',
  '{"takenAt":"1969-12-31T23:59:59.500Z"}',
  '{"standings":[{"player_id":"a","points":"3"}],"later":{"a":1}}',
  '{"standings":[{"rank":1,"later":true}]}',
])("another spelling: %s", (text) => {
  expect(readBoard(text)).toEqual(byCodec(text));
});

test.each([
  "[]",
  '"board"',
  '{"players":-1}',
  '{"players":4294967296}',
  '{"players":1.5}',
  '{"ended":1}',
  '{"epoch":"-1"}',
  '{"epoch":"1.5"}',
  '{"version":"99999999999999999999"}',
  '{"version":"18446744073709551616"}',
  '{"standings":{}}',
  '{"standings":[7]}',
  '{"standings":[{"points":2147483648}]}',
  '{"standings":[{"nickname":"\\ud800"}]}',
  '{"takenAt":"2026-02-30T00:00:00Z"}',
  '{"takenAt":"yesterday"}',
  "{",
])("what is no snapshot is refused as the codec does: %s", (text) => {
  let refused = false;
  try {
    byCodec(text);
  } catch {
    refused = true;
  }
  // Where the codec is lenient, so are we.
  if (refused) expect(() => readBoard(text)).toThrow();
  else expect(readBoard(text)).toEqual(byCodec(text));
});
