import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { session } from "../../test/staged.js";
import type { Client } from "./client.js";
import { FrameEncoder } from "./frame-codec.js";
import type { RoomListener } from "./ports.js";
import { RoomRegistry } from "./room-registry.js";

let registry: RoomRegistry | undefined;
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  registry?.close();
  vi.useRealTimers();
});

function open(roomsMax: number) {
  const followed = new Map<string, RoomListener>();
  const reads: string[] = [];
  const feed = {
    open(sessionId: string, listener: RoomListener) {
      followed.set(sessionId, listener);
      return {
        read: async () => {
          reads.push(sessionId);
        },
        close: () => followed.delete(sessionId),
      };
    },
    announce() {},
  };
  const duties = {
    resultsDue() {},
    namesDue() {},
    wideRowsDue() {},
    boardShown() {},
    seatHeld() {},
  };
  const clock = { now: () => Date.now() };
  const out = { publish() {} };
  const parts = { out, encoder: new FrameEncoder(), duties, clock, tickMs: 25 };
  const options = { roomsMax, lingerMs: 5_000, onReadFailed() {} };
  const rooms = new RoomRegistry(feed, parts, options);
  registry = rooms;
  return { rooms, followed, reads };
}

const spectator = () => ({ role: "spectator", subscribe() {} }) as unknown as Client;

test("a session has one room, followed once", () => {
  const { rooms, followed } = open(5);
  expect(rooms.hold("a")).toBe(rooms.hold("a"));
  expect([...followed.keys()]).toEqual(["a"]);
});

test("a room that turned out to be nothing is closed at once", () => {
  const { rooms, followed } = open(5);
  const room = rooms.hold("nothing");
  if (room) rooms.release(room);
  expect(followed.size).toBe(0);
});

test("a room lingers after its last socket, and closes then", () => {
  const { rooms, followed } = open(5);
  const room = rooms.hold("a");
  followed.get("a")?.onSession(session(), 1);
  const client = spectator();
  room?.enterSpectator(client);
  if (room) rooms.release(room);
  vi.advanceTimersByTime(60_000);
  expect(rooms.count().count).toBe(1);
  room?.leave(client);
  vi.advanceTimersByTime(4_000);
  expect(rooms.count().count).toBe(1);
  vi.advanceTimersByTime(2_000);
  expect(rooms.count().count).toBe(0);
  expect(followed.size).toBe(0);
});

test("a full gateway takes another session only in place of a room that nobody is in", () => {
  const { rooms, followed } = open(2);
  rooms.hold("busy");
  const idle = rooms.hold("idle");
  followed.get("idle")?.onSession(session(), 1);
  expect(rooms.hold("third")).toBeUndefined();
  if (idle) rooms.release(idle);
  expect(rooms.hold("third")).toBeDefined();
  expect([...followed.keys()]).toEqual(["busy", "third"]);
});

test("after a reconnect every room is read again", async () => {
  const { rooms, reads } = open(500);
  for (let room = 0; room < 200; room++) rooms.hold(`r${room}`);
  reads.length = 0;
  await rooms.readAll();
  expect(new Set(reads).size).toBe(200);
});
