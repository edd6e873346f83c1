import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AttendanceSchema } from "@fanfare/proto/events/v1/events";
import { Phase, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { AttendanceBook } from "./attendance.js";

const session = create(SessionSchema, {
  sessionId: "s",
  logStart: 7n,
  round: 2,
  phase: Phase.OPEN,
});
const OPEN_FOR_MS = 5_000;

type Room = Partial<{ logStart: bigint; present: boolean; round: number; allAnswered: boolean }>;

/** A book that has listened for long, and what two gateways say to it by name. */
function openBook({ listeningSince = 0 } = {}) {
  const book = new AttendanceBook(listeningSince);
  const sequences = new Map<string, number>();
  const say = (
    gateway: string,
    now: number,
    room?: Room,
    more: MessageInitShape<typeof AttendanceSchema> = {},
  ) => {
    const sequence = (sequences.get(gateway) ?? 0) + 1;
    sequences.set(gateway, sequence);
    const rooms = room
      ? [{ sessionId: "s", logStart: 7n, present: true, round: 2, allAnswered: true, ...room }]
      : [];
    const message = { gateway, sequence, whole: sequence === 1, rooms, ...more };
    return book.hear(create(AttendanceSchema, message), now);
  };
  const isDone = (now: number, since = Number.NEGATIVE_INFINITY, openForMs = OPEN_FOR_MS) =>
    book.allAnswered(session, openForMs, { since, now });
  return { book, say, isDone };
}

test("all have answered once each gateway that holds players says so", () => {
  const { say, isDone } = openBook();
  expect(say("a", 60_000, { allAnswered: true })).toEqual(["s"]);
  say("b", 60_000, { allAnswered: false });
  say("c", 60_000);
  expect(isDone(60_100)).toBe(false);
  say("b", 60_250, { allAnswered: true });
  expect(isDone(60_300)).toBe(true);
});

test("where nobody is there, nobody has answered", () => {
  const { say, isDone } = openBook();
  say("a", 60_000);
  expect(isDone(60_100)).toBe(false);
  say("a", 60_250, {});
  expect(isDone(60_300)).toBe(true);
  say("a", 60_500, { present: false });
  expect(isDone(60_600)).toBe(false);
});

test.each([
  ["an earlier round", { round: 1 }],
  ["no open round", { round: 0 }],
  ["a session of this id before", { logStart: 6n }],
])("a gateway that is still in %s is waited for", (_, room) => {
  const { say, isDone } = openBook();
  say("a", 60_000, {});
  say("b", 60_000, room);
  expect(isDone(60_100)).toBe(false);
});

test("a gateway that falls silent leaves the round to the clock, and the next ones for a while", () => {
  const { say, isDone } = openBook();
  say("a", 60_000, {});
  say("b", 60_000, {});
  expect(isDone(61_400)).toBe(true);
  say("a", 61_600);
  expect(isDone(61_700)).toBe(false);
  say("a", 600_000);
  // This round was open when it was heard last; one that opens half a minute later is not its own.
  expect(isDone(600_100, undefined, 541_000)).toBe(false);
  expect(isDone(600_100, undefined, 511_000)).toBe(false);
  expect(isDone(600_100, undefined, 509_000)).toBe(true);
});

test("a gateway that said farewell is waited for while its players come back elsewhere", () => {
  const { say, isDone } = openBook();
  say("b", 60_000, {}, { whole: true, leaving: true, rooms: [] });
  say("a", 72_000, {});
  expect(isDone(72_000, undefined, 3_000)).toBe(false);
  expect(isDone(72_000, undefined, 1_900)).toBe(true);
});

test("a gateway of which a message was missed is not believed before it has said all", () => {
  const { say, isDone } = openBook();
  say("a", 60_000, {});
  say("a", 60_250, {}, { sequence: 3 });
  expect(isDone(60_300)).toBe(false);
  say("a", 60_500, {}, { sequence: 4 });
  expect(isDone(60_600)).toBe(false);
  say("a", 60_750, {}, { sequence: 5, whole: true });
  expect(isDone(60_800)).toBe(true);
});

test("a gateway that began in the middle of its say is not believed either", () => {
  const { say, isDone } = openBook();
  say("a", 60_000, {}, { sequence: 9, whole: false });
  expect(isDone(60_100)).toBe(false);
});

test("who has not spoken since is waited for: somebody may have come in there", () => {
  const { say, isDone } = openBook();
  say("a", 60_000, {});
  say("b", 60_200);
  expect(isDone(60_300, 60_100)).toBe(false);
  say("a", 60_250);
  expect(isDone(60_300, 60_100)).toBe(true);
});

test("who has just begun to listen knows too little", () => {
  const { book, say, isDone } = openBook({ listeningSince: 59_000 });
  say("a", 60_000, {});
  expect(isDone(60_400)).toBe(false);
  expect(isDone(60_600)).toBe(true);
  book.listenAnew(60_700);
  say("a", 61_000);
  expect(isDone(61_100)).toBe(false);
  say("a", 62_000);
  expect(isDone(62_300)).toBe(true);
});

test("what a silent gateway held is forgotten, that it was there is not", () => {
  const { book, say, isDone } = openBook();
  say("b", 60_000, {});
  say("a", 70_000, {});
  book.sweep(70_000);
  expect(isDone(70_100, undefined, 20_000)).toBe(false);
  // Back without a word of what it holds.
  say("b", 70_200, {});
  expect(isDone(70_300)).toBe(false);
  book.sweep(4_000_000);
  say("a", 4_000_000, {}, { whole: true });
  expect(isDone(4_000_100, undefined, 3_999_000)).toBe(true);
});
