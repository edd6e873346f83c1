import type { Session } from "@fanfare/proto/quiz/v1/session";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { session } from "../../test/staged.js";
import { AttendanceSpeaker, AwayPlayers } from "./attendance.js";
import type { Client } from "./client.js";

const options = { closeWhenAllAnswered: true };

function player(playerId: string, answeredRound = 0, connection = "1"): Client {
  const verdict = answeredRound > 0 ? { round: answeredRound } : undefined;
  return { playerId, connection, answeredRound: 0, verdict } as Client;
}

function room(record: Session | undefined, ...players: Client[]) {
  const away = new AwayPlayers();
  return {
    sessionId: "quiz_1",
    session: record,
    away,
    players: new Map(players.map((each) => [each.playerId, each])),
  };
}

const open = () => session({ options });
const shown = { sessionId: "quiz_1", present: true, logStart: 7n };

test("the first message says all, the next ones what has changed", () => {
  const speaker = new AttendanceSpeaker("g");
  const [ann, bob] = [player("ann", 2), player("bob")];
  const rooms = [room(open(), ann, bob)];
  expect(speaker.next(rooms, 0)).toEqual({
    gateway: "g",
    sequence: 1,
    whole: true,
    rooms: [{ ...shown, round: 2, allAnswered: false }],
  });
  expect(speaker.next(rooms, 250)).toMatchObject({ sequence: 2, whole: false, rooms: [] });
  bob.answeredRound = 2;
  expect(speaker.next(rooms, 500)).toMatchObject({
    sequence: 3,
    rooms: [{ ...shown, round: 2, allAnswered: true }],
  });
  expect(speaker.next([], 750).rooms).toEqual([{ sessionId: "quiz_1", present: false }]);
});

test("all is said again and again, and after a break at once", () => {
  const speaker = new AttendanceSpeaker("g");
  const rooms = [room(open(), player("ann"))];
  const whole = Array.from({ length: 17 }, (_, i) => speaker.next(rooms, i).whole);
  expect(whole.flatMap((each, i) => (each ? [i] : []))).toEqual([0, 8, 16]);
  speaker.sayAll();
  expect(speaker.next(rooms, 99)).toMatchObject({ whole: true, rooms: [{ ...shown }] });
});

test.each([
  ["in the lobby", session({ options, phase: Phase.LOBBY, round: 0 })],
  ["while the question is read", session({ options, phase: Phase.READING })],
  ["at the reveal", session({ options, phase: Phase.REVEAL })],
])("%s nobody has answered, and who is there is said", (_, record) => {
  const said = new AttendanceSpeaker("g").next([room(record, player("ann", 2))], 0);
  expect(said.rooms).toEqual([{ ...shown, round: 0, allAnswered: false }]);
});

test.each([
  ["without the option", session()],
  ["with the option off", session({ options: { closeWhenAllAnswered: false } })],
  ["that is over", session({ options, phase: Phase.ENDED })],
  ["that is not known", undefined],
])("nothing is said of a session %s", (_, record) => {
  expect(new AttendanceSpeaker("g").next([room(record, player("ann"))], 0).rooms).toEqual([]);
});

test("who lost the connection counts for a while, unless back, answered or out", () => {
  const answered = (away: (players: AwayPlayers) => void, now: number) => {
    const here = room(open(), player("ann", 2));
    away(here.away);
    return new AttendanceSpeaker("g").next([here], now).rooms?.[0]?.allAnswered;
  };
  const bob = player("bob", 1, "5");
  expect(answered((away) => away.left(bob, 1_000), 5_900)).toBe(false);
  expect(answered((away) => away.left(bob, 1_000), 6_000)).toBe(true);
  expect(answered((away) => away.left(player("bob", 2), 1_000), 1_100)).toBe(true);
  const back = (connection?: string) => (away: AwayPlayers) => {
    away.left(bob, 1_000);
    away.back("bob", connection);
  };
  expect(answered(back(), 1_100)).toBe(true);
  expect(answered(back("6"), 1_100)).toBe(true);
  // A word about the connection that was lost, heard late.
  expect(answered(back("5"), 1_100)).toBe(false);
});

test("a farewell holds nothing", () => {
  const speaker = new AttendanceSpeaker("g");
  speaker.next([room(open(), player("ann"))], 0);
  expect(speaker.farewell()).toEqual({ gateway: "g", sequence: 2, whole: true, leaving: true });
});
