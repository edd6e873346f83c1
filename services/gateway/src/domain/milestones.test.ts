import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { START_MS, session } from "../../test/staged.js";
import { Milestones } from "./milestones.js";

const reveal = (round: number) => session({ phase: Phase.REVEAL, round });
const ended = session({ phase: Phase.ENDED, round: 3, endedAt: timestampFromMs(START_MS) });

test("results of a round are due at its reveal, once", () => {
  const milestones = new Milestones();
  expect(milestones.note(session(), 0, START_MS)).toBe(0);
  expect(milestones.note(reveal(2), 0, START_MS)).toBe(2);
  milestones.resultsTold(2);
  expect(milestones.note(reveal(2), 0, START_MS)).toBe(0);
  expect(milestones.note(reveal(3), 0, START_MS)).toBe(3);
});

test("a session that ends without a reveal owes the results of its last round", () => {
  const milestones = new Milestones();
  milestones.resultsTold(2);
  expect(milestones.note(ended, 0, START_MS)).toBe(3);
});

test("a board is late when it lacks a round that closed three seconds ago", () => {
  const milestones = new Milestones();
  milestones.note(reveal(2), 1_000, START_MS);
  expect(milestones.isLate(1, 4_000)).toBe(false);
  expect(milestones.isLate(1, 4_001)).toBe(true);
  expect(milestones.isLate(2, 9_000)).toBe(false);
});

test("the podium waits for the last board, but not for ever, and is shown again with it", () => {
  const milestones = new Milestones();
  milestones.note(ended, 1_000, START_MS);
  expect(milestones.isPodiumDue(false, 3_000)).toBe(false);
  expect(milestones.isPodiumDue(false, 3_001)).toBe(true);
  milestones.podiumShown(false);
  expect(milestones.isPodiumDue(false, 9_000)).toBe(false);
  expect(milestones.isPodiumDue(true, 9_000)).toBe(true);
  milestones.podiumShown(true);
  expect(milestones.isPodiumDue(true, 9_001)).toBe(false);
});

test("the last podium is shown again with each new board behind it", () => {
  const milestones = new Milestones();
  milestones.note(ended, 0, START_MS);
  milestones.podiumShown(true);
  expect(milestones.isPodiumDue(true, 5_000)).toBe(false);
  expect(milestones.isPodiumDue(true, 5_000, true)).toBe(true);
});

test("a session that ended long ago shows its podium at once", () => {
  const milestones = new Milestones();
  milestones.note(ended, 50, START_MS + 60_000);
  expect(milestones.isPodiumDue(false, 50)).toBe(true);
});
