/** Whoever publishes: the last snapshot in the stream is the newest. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LeaderboardStream } from "../src/adapters/leaderboard-stream.js";
import type { Board } from "../src/domain/ports.js";
import { Stack } from "./stack.js";

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
});

afterAll(() => stack?.[Symbol.asyncDispose]());

function publisher(): LeaderboardStream {
  return new LeaderboardStream(stack.bus, { now: () => 0 });
}

function board(epoch: bigint, version: bigint): Board {
  const counts = { finalRound: 0, round: 1, answers: 0, joined: 0, players: 0, firstRank: 1 };
  return { state: undefined, epoch, version, ...counts, ended: false, rows: [] };
}

async function last(sessionId: string) {
  const snapshot = await stack.snapshot(sessionId);
  return snapshot && [snapshot.epoch, snapshot.version];
}

const CHANGED_SINCE = Date.parse("2026-11-24T12:00:00.500Z");
const SINCE = { changedSince: CHANGED_SINCE };

test("a pod that was overtaken steps back", async () => {
  const [one, other] = [publisher(), publisher()];
  expect(await one.publish("overtaken", board(5n, 1n), SINCE)).toBe("stored");
  expect(await other.publish("overtaken", board(5n, 3n), SINCE)).toBe("stored");
  // It does not know of the other's snapshot yet.
  expect(await one.publish("overtaken", board(5n, 2n), SINCE)).toBe("known");
  expect(await last("overtaken")).toEqual([5n, 3n]);
  expect(await one.publish("overtaken", board(5n, 4n), SINCE)).toBe("stored");
  expect(await last("overtaken")).toEqual([5n, 4n]);
});

test("a board is published once at each version", async () => {
  const one = publisher();
  expect(await one.publish("once", board(5n, 7n), SINCE)).toBe("stored");
  expect(await one.publish("once", board(5n, 7n), SINCE)).toBe("known");
  expect(await publisher().publish("once", board(5n, 7n), SINCE)).toBe("known");
});

test("a newer epoch begins anew, at whatever version", async () => {
  const one = publisher();
  await one.publish("epoch", board(5n, 7n), SINCE);
  expect(await one.publish("epoch", board(6n, 1n), SINCE)).toBe("stored");
  expect(await one.publish("epoch", board(5n, 8n), SINCE)).toEqual({ kind: "behind", epoch: 6n });
  expect(await last("epoch")).toEqual([6n, 1n]);
});

test("many pods at once leave the newest behind", async () => {
  const versions = [3n, 1n, 4n, 2n, 5n];
  const publish = (version: bigint) => publisher().publish("race", board(5n, version), SINCE);
  // One that loses three times in a row gives up, and would be told to try again.
  await Promise.allSettled(versions.map(publish));
  await publisher().publish("race", board(5n, 5n), SINCE);
  expect(await last("race")).toEqual([5n, 5n]);
});

test("a snapshot says since when it has something new", async () => {
  await publisher().publish("since", board(5n, 1n), SINCE);
  const { changedSince } = (await stack.snapshot("since")) ?? {};
  expect(changedSince && timestampMs(changedSince)).toBe(CHANGED_SINCE);
});
