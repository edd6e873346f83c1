import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { START_MS, session } from "../../test/staged.js";
import { FrameEncoder } from "./frame-codec.js";
import { Scene } from "./scene.js";

function open() {
  const encoded: string[] = [];
  const scene = new Scene(new FrameEncoder((type) => encoded.push(type)));
  const types = (frames: { type: string }[]) => frames.map(({ type }) => type);
  return { encoded, scene, types };
}

const revealed = { phase: Phase.REVEAL, reveal: { answer: ["A"] } };
const { phaseEndsAt: _, ...noEnd } = session();
const pausedRecord = () => session({ ...noEnd, paused: true, pausedRemainingMs: 9_000 } as object);

test("a question is said once, and a change that nobody sees says nothing", () => {
  const { scene, types, encoded } = open();
  expect(types(scene.show(session()))).toEqual(["question"]);
  expect(scene.show(session({ locked: true }))).toEqual([]);
  expect(encoded).toEqual(["question", "question"]);
});

test("closing leaves the question as it was", () => {
  const { scene, types } = open();
  const [asked] = scene.show(session());
  expect(scene.show(session({ phase: Phase.CLOSING }))).toEqual([]);
  expect(types(scene.show(session(revealed)))).toEqual(["reveal"]);
  expect(scene.frames()[0]).toBe(asked);
});

test("who comes to a reveal sees the question and the reveal", () => {
  const { scene, types } = open();
  scene.show(session(revealed));
  expect(types(scene.frames())).toEqual(["question", "reveal"]);
});

test("a pause is said, and the question again when it goes on", () => {
  const { scene, types } = open();
  scene.show(session());
  expect(types(scene.show(pausedRecord()))).toEqual(["paused"]);
  expect(types(scene.frames())).toEqual(["question", "paused"]);
  const on = session({
    phaseStartedAt: timestampFromMs(START_MS + 60_000),
    elapsedBeforeMs: 5_000,
  });
  expect(types(scene.show(on))).toEqual(["question"]);
  expect(types(scene.frames())).toEqual(["question"]);
});

test("a paused reveal is said again when it goes on, even where it has not changed", () => {
  const { scene, types } = open();
  scene.show(session(revealed));
  expect(types(scene.show(session({ ...revealed, paused: true })))).toEqual(["paused"]);
  expect(types(scene.show(session(revealed)))).toEqual(["reveal"]);
});

test("an extension is a new question frame with its new end", () => {
  const { scene } = open();
  scene.show(session());
  const longer = { timeLimitMs: 30_000, phaseEndsAt: timestampFromMs(START_MS + 30_000) };
  const [frame] = scene.show(session(longer));
  expect(JSON.parse(frame?.text ?? "").question).toMatchObject({
    timeLimitMs: 30_000,
    closesAt: new Date(START_MS + 30_000).toISOString().replace(".000", ""),
  });
});

test("a reading phase says when options come, and not when answers end", () => {
  const { scene } = open();
  const reading = { phase: Phase.READING, phaseEndsAt: timestampFromMs(START_MS + 5_000) };
  const [frame] = scene.show(session(reading));
  const { question } = JSON.parse(frame?.text ?? "");
  expect(question.opensAt).toBe(new Date(START_MS + 5_000).toISOString().replace(".000", ""));
  expect(question.closesAt).toBeUndefined();
});

test("without a session there is nothing to see", () => {
  const { scene } = open();
  scene.show(session());
  expect(scene.show(undefined)).toEqual([]);
  expect(scene.frames()).toEqual([]);
});
