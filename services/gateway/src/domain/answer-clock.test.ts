import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { NO_TIME_MS } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { START_MS, session } from "../../test/staged.js";
import { AnswerClock } from "./answer-clock.js";

const no = (reason: ErrorReason) => ({ kind: "refused", reason });
const timed = (elapsedMs: number) => ({ kind: "timed", elapsedMs });

function shown(at: number, change = {}): AnswerClock {
  const clock = new AnswerClock();
  clock.show(session(change), at);
  return clock;
}

test("time runs from when the question was shown here", () => {
  expect(shown(1_000).time(2, 3_500)).toEqual(timed(2_500));
});

test("a change of the same stretch, such as an extension, does not begin anew", () => {
  const clock = shown(1_000);
  clock.show(session({ timeLimitMs: 30_000 }), 9_000);
  expect(clock.time(2, 26_000)).toEqual(timed(25_000));
});

test("a pause is taken out: what passed before it counts, what passed in it does not", () => {
  const clock = shown(1_000);
  clock.show(session({ paused: true, elapsedBeforeMs: 4_000 }), 5_000);
  expect(clock.time(2, 6_000)).toEqual(no(ErrorReason.ROUND_NOT_OPEN));
  const phaseStartedAt = timestampFromMs(START_MS + 60_000);
  clock.show(session({ elapsedBeforeMs: 4_000, phaseStartedAt }), 61_000);
  expect(clock.time(2, 62_000)).toEqual(timed(5_000));
});

test("a gateway that meets a round in its middle counts what passed on the common clock", () => {
  const clock = new AnswerClock();
  clock.show(session(), 1_000, START_MS + 7_000);
  expect(clock.time(2, 1_500)).toEqual(timed(7_500));
});

test("a common clock that is behind makes nobody quicker than the question", () => {
  const clock = new AnswerClock();
  clock.show(session(), 1_000, START_MS - 30_000);
  expect(clock.time(2, 1_200)).toEqual(timed(200));
});

test.each([
  ["at the limit", 21_000, timed(20_000)],
  ["after it", 21_501, timed(20_501)],
])("an answer %s", (_, at, expected) => {
  expect(shown(1_000).time(2, at)).toEqual(expected);
});

test.each([
  ["in the lobby", { phase: Phase.LOBBY, round: 0 }, ErrorReason.ROUND_NOT_OPEN],
  ["while reading", { phase: Phase.READING }, ErrorReason.ROUND_NOT_OPEN],
  ["while paused", { paused: true }, ErrorReason.ROUND_NOT_OPEN],
  ["in the round before", { round: 1 }, ErrorReason.ROUND_NOT_OPEN],
])("an answer to round 2 %s is refused", (_, change, reason) => {
  expect(shown(1_000, change).time(2, 1_100)).toEqual(no(reason));
});

test.each([
  ["at the reveal", { phase: Phase.REVEAL }],
  ["after the end", { phase: Phase.ENDED }],
  ["in the next round", { round: 3 }],
])("an answer to round 2 %s has no time, and is for the log to refuse", (_, change) => {
  expect(shown(1_000, change).time(2, 1_100)).toEqual(timed(NO_TIME_MS));
});

test("while closing, an answer is timed where its question was shown here", () => {
  const clock = shown(1_000);
  clock.show(session({ phase: Phase.CLOSING }), 20_000);
  expect(clock.time(2, 3_000)).toEqual(timed(2_000));
  const late = shown(1_000, { phase: Phase.CLOSING });
  expect(late.time(2, 1_100)).toEqual(timed(NO_TIME_MS));
});

test("without a session nothing is open", () => {
  expect(new AnswerClock().time(1, 0)).toEqual(no(ErrorReason.ROUND_NOT_OPEN));
});
