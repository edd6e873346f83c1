import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Phase, type Session, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { GIVEN_BACK_MAX_MS, giveBack } from "./outage.js";

const START = 1_000_000;
const END = START + 20_000;

function open(fields: object = {}): Session {
  return create(SessionSchema, {
    phase: Phase.OPEN,
    round: 1,
    timeLimitMs: 20_000,
    phaseStartedAt: timestampFromMs(START),
    phaseEndsAt: timestampFromMs(END),
    options: { giveBackOutages: true },
    ...fields,
  });
}

/** By how much the end has moved after outages of these times, in ms from the start. */
function moved(session: Session, ...outages: (readonly [number, number])[]): number {
  let now = session;
  for (const [from, to] of outages) {
    const next = giveBack(now, { fromMs: START + from, toMs: START + to });
    if (next !== "unchanged") now = next;
  }
  const end = now.phaseEndsAt ? timestampMs(now.phaseEndsAt) : 0;
  expect(now.timeLimitMs - session.timeLimitMs).toBe(end - END);
  return end - END;
}

test("what is lost is given back, from the start of the round on", () => {
  expect(moved(open(), [5_000, 13_000])).toBe(8_000);
  expect(moved(open(), [-4_000, 3_000])).toBe(3_000);
});

test("a record holds whole milliseconds, whatever a clock says", () => {
  expect(moved(open(), [5_000.4, 13_000.3])).toBe(8_000);
});

test("an outage beyond the end gives the time that was left when it began", () => {
  expect(moved(open(), [15_000, 40_000])).toBe(25_000);
});

test("less than a second, and what came after the end, is nobody's", () => {
  expect(moved(open(), [5_000, 5_999])).toBe(0);
  expect(moved(open(), [20_000, 29_000])).toBe(0);
});

test("the same outage is given back once, however many pods saw it, and in whatever part", () => {
  expect(moved(open(), [5_000, 13_000], [5_000, 13_000], [6_100, 13_200])).toBe(8_000);
  expect(moved(open(), [9_000, 13_000], [5_000, 13_000])).toBe(8_000);
  expect(moved(open(), [5_000, 13_000], [13_500, 13_900])).toBe(8_000);
});

test("another outage of the round is given back too, up to the limit", () => {
  expect(moved(open(), [2_000, 5_000], [9_000, 14_000])).toBe(8_000);
  expect(moved(open(), [2_000, 5_000], [9_000, 200_000])).toBe(GIVEN_BACK_MAX_MS);
});

test.each([
  ["without the option", { options: { giveBackOutages: false } }],
  ["in a pause", { paused: true }],
  ["in another phase", { phase: Phase.CLOSING }],
])("nothing %s", (_, fields) => {
  expect(giveBack(open(fields), { fromMs: START, toMs: START + 9_000 })).toBe("unchanged");
});
