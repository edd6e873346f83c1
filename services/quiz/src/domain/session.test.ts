import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  FrozenQuizSchema,
  Pacing,
  Phase,
  type Session,
  SessionSchema,
} from "@fanfare/proto/quiz/v1/session";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isRefusal } from "./refusal.js";
import * as rules from "./session.js";

const quiz = create(FrozenQuizSchema, {
  questions: [1, 2, 3].map((n) => ({
    question: { text: `Q${n}`, options: [{ choice: "A", text: "a" }] },
    answer: ["A"],
    timeLimitMs: 20_000,
  })),
});

function lobby(
  options: { pacing?: Pacing; readingSeconds?: number; closeWhenAllAnswered?: boolean } = {},
): Session {
  return create(SessionSchema, {
    sessionId: "s",
    phase: Phase.LOBBY,
    rounds: 3,
    logStart: 1n,
    answerGraceMs: 500,
    options: { revealSeconds: 5, pacing: Pacing.HOST, ...options },
    phaseStartedAt: timestampFromMs(0),
  });
}

function made(outcome: rules.Outcome): Session {
  if (outcome === "unchanged" || isRefusal(outcome)) throw new Error(JSON.stringify(outcome));
  return outcome;
}

const open = (now = 1_000) => made(rules.start(lobby(), quiz, now));

test("a round stays open for its time and a grace, then closes", () => {
  const session = open();
  expect(rules.dueAt(session)).toBe(21_500);
  expect(rules.tick(session, quiz, 21_499)).toBe("unchanged");
  expect(made(rules.tick(session, quiz, 21_500)).phase).toBe(Phase.CLOSING);
});

test("a reading phase shows the question without options", () => {
  const session = made(rules.start(lobby({ readingSeconds: 3 }), quiz, 0));
  expect(session.phase).toBe(Phase.READING);
  expect(session.question?.options).toEqual([]);
  const opened = made(rules.tick(session, quiz, 3_000));
  expect([opened.phase, opened.question?.options.length]).toEqual([Phase.OPEN, 1]);
});

test("only a closed log leads to the reveal, and only the reveal holds the answer", () => {
  const closing = made(rules.tick(open(), quiz, 30_000));
  expect(rules.tick(closing, quiz, 99_000)).toBe("unchanged");
  const shown = made(rules.reveal(closing, quiz, 30_100, { answers: 0, distribution: [] }));
  expect([shown.phase, shown.reveal?.answer, shown.previousRound]).toEqual([
    Phase.REVEAL,
    ["A"],
    1,
  ]);
  expect(rules.reveal(shown, quiz, 30_200, { answers: 0, distribution: [] })).toBe("unchanged");
});

test("a pause keeps the time that is left and the time that has passed", () => {
  const paused = made(rules.pauseClock(open(0), 8_000));
  expect([paused.pausedRemainingMs, paused.elapsedBeforeMs, rules.dueAt(paused)]).toEqual([
    12_000,
    8_000,
    undefined,
  ]);
  const going = made(rules.continueClock(paused, 60_000));
  expect(going.phaseEndsAt && timestampMs(going.phaseEndsAt)).toBe(72_000);
  expect(going.elapsedBeforeMs).toBe(8_000);
});

test("ending in an open round closes it first, and it counts", () => {
  const ending = made(rules.end(open(), 5_000));
  expect(ending.phase).toBe(Phase.CLOSING);
  const shown = made(rules.reveal(ending, quiz, 5_100, { answers: 1, distribution: [] }));
  const over = made(rules.tick(shown, quiz, 5_100));
  expect([over.phase, over.round, over.question]).toEqual([Phase.ENDED, 1, undefined]);
});

test("ending while a skipped round is closed ends the session behind that round", () => {
  const skipping = made(rules.skip(open(), quiz, 5_000, 0));
  const ending = made(rules.end(skipping, 5_050));
  expect([ending.phase, ending.rounds]).toEqual([Phase.CLOSING, 1]);
  expect(rules.end(ending, 5_060)).toBe("unchanged");
  const shown = made(rules.reveal(ending, quiz, 5_100, { answers: 0, distribution: [] }));
  expect(made(rules.tick(shown, quiz, 5_100)).phase).toBe(Phase.ENDED);
});

test("a pause in the reveal of a skipped round does not stop what follows it", () => {
  const closing = made(rules.skip(open(), quiz, 5_000, 0));
  const shown = made(rules.reveal(closing, quiz, 5_100, { answers: 0, distribution: [] }));
  const paused = made(rules.pauseClock(shown, 5_100));
  const going = made(rules.continueClock(paused, 9_000));
  expect(made(rules.tick(going, quiz, 9_000)).round).toBe(2);
});

test("any order of commands and ticks keeps the record sane and ends by end()", () => {
  const step = fc.record({
    what: fc.constantFrom(
      "tick",
      "start",
      "next",
      "pause",
      "go",
      "extend",
      "skip",
      "end",
      "reveal",
    ),
    ms: fc.integer({ min: 0, max: 30_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let session = lobby({ pacing: Pacing.AUTO });
      let now = 0;
      for (const { what, ms } of steps) {
        now += ms;
        const outcome = act(session, what, now);
        if (outcome === "unchanged" || isRefusal(outcome)) continue;
        expect(outcome.round).toBeGreaterThanOrEqual(session.round);
        expect(outcome.reveal !== undefined).toBe(outcome.phase === Phase.REVEAL);
        if (outcome.paused) expect(rules.dueAt(outcome)).toBeUndefined();
        if (session.phase === Phase.OPEN && outcome.phase !== Phase.OPEN)
          expect(outcome.phase).toBe(Phase.CLOSING);
        session = outcome;
      }
      const ended = rules.end(session, now);
      if (ended !== "unchanged" && !isRefusal(ended)) session = ended;
      for (const what of ["reveal", "tick"]) {
        const outcome = act(session, what, now);
        if (outcome !== "unchanged" && !isRefusal(outcome)) session = outcome;
      }
      expect(session.phase).toBe(Phase.ENDED);
    }),
  );
});

function act(session: Session, what: string, now: number): rules.Outcome {
  switch (what) {
    case "start":
      return rules.start(session, quiz, now);
    case "next":
      return rules.next(session, quiz, now);
    case "pause":
      return rules.pauseClock(session, now);
    case "go":
      return rules.continueClock(session, now);
    case "extend":
      return rules.extend(session, 10, 0);
    case "skip":
      return rules.skip(session, quiz, now, 0);
    case "end":
      return rules.end(session, now);
    case "reveal":
      return rules.reveal(session, quiz, now, { answers: 0, distribution: [] });
    default:
      return rules.tick(session, quiz, now);
  }
}

test("a round that all have answered closes, once, where the session wants it", () => {
  const session = made(rules.start(lobby({ closeWhenAllAnswered: true }), quiz, 1_000));
  const seen = { logStart: session.logStart, round: 1 };
  const closing = made(rules.closeAnswered(session, 4_000, seen));
  expect([closing.phase, closing.round]).toEqual([Phase.CLOSING, 1]);
  expect(rules.closeAnswered(closing, 4_001, seen)).toBe("unchanged");
  expect(rules.closeAnswered(session, 4_000, { ...seen, round: 2 })).toBe("unchanged");
  expect(rules.closeAnswered(session, 4_000, { ...seen, logStart: 9n })).toBe("unchanged");
  const paused = made(rules.pauseClock(session, 3_000));
  expect(rules.closeAnswered(paused, 4_000, seen)).toBe("unchanged");
  expect(rules.openForMs(session, 4_000)).toBe(3_000);
  expect(rules.openForMs(made(rules.continueClock(paused, 9_000)), 9_500)).toBe(2_500);
  const off = made(rules.start(lobby({ closeWhenAllAnswered: false }), quiz, 1_000));
  expect(rules.closeAnswered(off, 4_000, seen)).toBe("unchanged");
});
