import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { board, START_MS, session } from "../../test/staged.js";
import type { Client } from "./client.js";
import { FrameEncoder } from "./frame-codec.js";
import { Room } from "./room.js";

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(START_MS);
});
afterEach(() => {
  vi.useRealTimers();
});

function open(read: () => Promise<void> = async () => {}) {
  const published: string[] = [];
  const due: string[] = [];
  const room = new Room("quiz_1", {
    out: { publish: (topic, { type }) => published.push(`${topic.split("/")[1]} ${type}`) },
    encoder: new FrameEncoder(),
    clock: { now: () => Date.now() },
    tickMs: 25,
    duties: {
      resultsDue: (_, round) => due.push(`results ${round}`),
      namesDue: () => due.push("names"),
      wideRowsDue: () => due.push("rows"),
      seatHeld: (_room, client) => due.push(`${client.playerId} is at ${client.connection}`),
      boardShown: (sinceMs) => due.push(`shown since ${sinceMs - START_MS}`),
    },
  });
  room.follow({ read, close() {} });
  return { room, published, due };
}

function player(playerId: string, connection: string) {
  const ended: number[] = [];
  const client = {
    playerId,
    connection,
    role: "player",
    send() {},
    subscribe() {},
    end: (code: number) => ended.push(code),
  } as unknown as Client;
  return { client, ended };
}

test("a read that fails leaves the room overdue until one succeeds", async () => {
  let fails = true;
  const { room } = open(async () => {
    if (fails) throw new Error("away");
  });
  await expect(room.ready()).rejects.toThrow("away");
  expect(room.check(performance.now() + 1_000)).toBe("fine");
  expect(room.check(performance.now() + 2_000)).toBe("overdue");
  fails = false;
  await room.ready();
  expect(room.check(performance.now() + 2_000)).toBe("fine");
  fails = true;
  await expect(room.read()).rejects.toThrow("away");
  expect(room.check(performance.now() + 2_000)).toBe("overdue");
});

test("a phase that should have ended makes the room overdue", async () => {
  const { room } = open();
  await room.ready();
  room.onSession(session({ phaseEndsAt: timestampFromMs(START_MS + 1_000) }), 5);
  vi.advanceTimersByTime(2_400);
  expect(room.check(performance.now())).toBe("fine");
  vi.advanceTimersByTime(200);
  expect(room.check(performance.now())).toBe("overdue");
});

test("a record that is older than the known one is dropped", () => {
  const { room } = open();
  room.onSession(session({ round: 2 }), 5);
  room.onSession(session({ round: 1 }), 4);
  room.onSession(undefined, 0);
  expect(room.session?.round).toBe(2);
});

test.each([
  ["newer", "2", [4502], []],
  ["older", "0", [], ["ann is at 1"]],
  ["same", "1", [], []],
])("a %s connection elsewhere ends this one, or is told of it", (_, connection, ended, told) => {
  const { room, due } = open();
  const ann = player("ann", "1");
  room.enterPlayer(ann.client);
  room.onTakeover("ann", connection);
  expect(ann.ended).toEqual(ended);
  expect(due).toEqual(told);
});

test("results are due once a round, and again when a stale board heals", () => {
  const { room, due } = open();
  room.enterPlayer(player("ann", "1").client);
  const revealed = { phase: Phase.REVEAL, reveal: { answer: ["A"] } };
  room.onSession(session(revealed), 5);
  room.onSession(session({ ...revealed, locked: true }), 6);
  expect(due).toEqual(["results 2"]);
  room.markStale();
  room.onBoard(board(1, { finalRound: 2 }));
  expect(due).toEqual(["results 2", "results 2"]);
});

test("in the lobby all hear the count, afterwards only who watches", () => {
  const { room, published } = open();
  room.enterPlayer(player("ann", "1").client);
  room.enterSpectator(player("", "").client);
  room.onSession(session({ phase: Phase.LOBBY, round: 0, question: undefined } as never), 5);
  room.onBoard(board(0, { joined: 1 }));
  vi.advanceTimersByTime(1_000);
  expect(published).toContain("all lobby");
  published.length = 0;
  room.onSession(session(), 6);
  room.onBoard(board(0, { joined: 2, version: 2n, round: 2, answers: 1 }));
  vi.advanceTimersByTime(1_000);
  expect(published).toContain("watch lobby");
  expect(published).toContain("watch progress");
  expect(published).not.toContain("all lobby");
});

test("a skipped reveal is shown and told even where the next question comes with it", () => {
  const { room, published, due } = open();
  room.enterPlayer(player("ann", "1").client);
  room.onSession(session(), 5);
  room.onSession(session({ phase: Phase.REVEAL, reveal: { answer: ["A"] } }), 6);
  room.onSession(session({ round: 3, question: { text: "Next?" } }), 7);
  vi.advanceTimersByTime(0);
  expect(published).toEqual(["all question", "all reveal", "all question"]);
  expect(due).toEqual(["results 2"]);
});

test("a board is as fresh as the oldest change that it is the first to show", () => {
  const { room, due } = open();
  room.onSession(session({}), 5);
  room.enterSpectator(player("", "").client);
  const since = (ms: number) => ({ changedSince: timestampFromMs(START_MS + ms) });
  room.onBoard(board(1, { version: 1n, ...since(10) }));
  room.onBoard(board(2, { version: 2n, ...since(40) }));
  vi.advanceTimersByTime(500);
  expect(due).toContain("shown since 10");
  // Nothing that is shown has changed.
  room.onBoard(board(2, { version: 3n, ...since(600) }));
  vi.advanceTimersByTime(500);
  expect(due.filter((each) => each.startsWith("shown"))).toEqual(["shown since 10"]);
  room.onBoard(board(3, { version: 4n, ...since(700) }));
  vi.advanceTimersByTime(500);
  expect(due.filter((each) => each.startsWith("shown"))).toHaveLength(2);
});
