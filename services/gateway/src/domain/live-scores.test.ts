import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { board } from "../../test/staged.js";
import type { Client } from "./client.js";
import { FrameEncoder } from "./frame-codec.js";
import { LiveScores } from "./live-scores.js";

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate", "performance"],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

function open() {
  const encoded: string[] = [];
  const published: string[] = [];
  const out = { publish: (topic: string) => published.push(topic) };
  const encoder = new FrameEncoder((type) => encoded.push(type));
  const scores = new LiveScores("quiz_1", { out, encoder, tickMs: 25 });
  const watch = (limit: number) => {
    const client = {
      liveScore: { sessionId: "quiz_1", limit },
      subscribe() {},
    } as unknown as Client;
    return { client, frame: scores.enter(client, limit) };
  };
  return { scores, encoded, published, watch };
}

test("a thousand sockets of one limit cost one encoding for each change", () => {
  const { scores, encoded, published, watch } = open();
  for (let socket = 0; socket < 1_000; socket++) watch(100);
  scores.show(board(3));
  vi.advanceTimersByTime(1_000);
  expect(encoded).toHaveLength(2);
  expect(published).toEqual(["quiz_1/live/100"]);
});

test("a limit is told only when its own rows change", () => {
  const { scores, published, watch } = open();
  scores.show(board(5));
  watch(3);
  watch(100);
  const moved = board(5);
  const last = moved.standings[4];
  if (last) last.points = 1;
  scores.show(moved);
  vi.advanceTimersByTime(1_000);
  expect(published).toEqual(["quiz_1/live/100"]);
});

test("rows beyond the snapshot are wanted where the board has them and somebody asks", () => {
  const { scores, watch } = open();
  const wide = watch(700);
  scores.show(board(100, { players: 100 }));
  expect(scores.wideRowsWanted()).toBe(0);
  scores.show(board(100, { players: 5_000 }));
  expect(scores.wideRowsWanted()).toBe(700);
  expect(scores.wideRowsWanted(900)).toBe(900);
  scores.showWide(board(700).standings);
  vi.advanceTimersByTime(1_000);
  expect(JSON.parse(watch(700).frame.text)).toHaveLength(700);
  expect(JSON.parse(watch(50).frame.text)).toHaveLength(50);
  scores.leave(wide.client);
});

test("a limit that nobody watches any more costs nothing", () => {
  const { scores, encoded, watch } = open();
  const { client } = watch(10);
  scores.leave(client);
  expect(scores.sockets).toBe(0);
  scores.show(board(3));
  vi.advanceTimersByTime(1_000);
  expect(encoded).toHaveLength(1);
});

test("a thousand sockets of a thousand limits cost one encoding for each change, and its bytes are cut", () => {
  const { scores, encoded, published, watch } = open();
  scores.show(board(100, { players: 1_000 }));
  scores.showWide(board(1_000).standings);
  for (let limit = 1; limit <= 1_000; limit++) watch(limit);
  vi.advanceTimersByTime(1_000);
  encoded.length = 0;
  published.length = 0;
  const moved = board(1_000, {});
  for (const row of moved.standings) row.points += 1;
  scores.showWide(moved.standings);
  vi.advanceTimersByTime(1_000);
  expect(encoded).toHaveLength(1);
  expect(published).toHaveLength(900);
});
