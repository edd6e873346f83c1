/** Which entries end the gathering of the standings projection: those that everybody waits for. */
import * as addresses from "@fanfare/proto/addresses";
import { expect, test } from "vitest";
import { RedisStandings } from "../src/adapters/redis-standings.js";

const { isUrgent } = new RedisStandings({} as never).pace;

test.each([
  [addresses.subjectForRoundClosed("s", 1), true],
  [addresses.subjectForSessionEnded("s"), true],
  [addresses.subjectForAnswers("s", 1, 0), false],
  [addresses.subjectForPlayers("s", 0), false],
  [addresses.subjectForScore({ sessionId: "s", round: 1, outsider: "ann" }), false],
])("%s: %j", (published, urgent) => {
  expect(isUrgent(addresses.storedSubject(published))).toBe(urgent);
});

test("what is no entry can wait", () => {
  expect(isUrgent("LOG.3.s.1")).toBe(false);
});
