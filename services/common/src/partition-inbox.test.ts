import { expect, test, vi } from "vitest";
import { Inbox } from "./partition-inbox.js";

const MIB = 1024 * 1024;

function filled(count: number, bytes: number): Inbox<number> {
  const inbox = new Inbox<number>();
  for (let i = 0; i < count; i++) inbox.put(i, bytes);
  return inbox;
}

test("what comes out is what came in, in order, at most a batch at once", async () => {
  const inbox = filled(1_200, 10);
  const batches = [await inbox.take(0), await inbox.take(0), await inbox.take(0)];
  expect(batches.map(({ length }) => length)).toEqual([500, 500, 200]);
  expect(batches.flat()).toEqual(Array.from({ length: 1_200 }, (_, i) => i));
});

test("a batch is bounded by its bytes, and one entry is always a batch", async () => {
  const inbox = filled(3, MIB);
  expect(await inbox.take(0)).toEqual([0, 1]);
  expect(await inbox.take(0)).toEqual([2]);
  expect(await filled(2, 3 * MIB).take(0)).toEqual([0]);
});

test("who takes from an empty one waits for the first, or for the given time", async () => {
  const inbox = new Inbox<string>();
  expect(await inbox.take(1)).toEqual([]);
  const taking = inbox.take(60_000);
  inbox.put("a", 1);
  inbox.put("b", 1);
  expect(await taking).toEqual(["a", "b"]);
});

test("the first after a silence waits for company, but not once something urgent comes", async () => {
  const inbox = new Inbox<string>();
  let taken: string[] | undefined;
  const taking = inbox.take(60_000, 60_000).then((batch) => {
    taken = batch;
  });
  inbox.put("a", 1);
  await new Promise(setImmediate);
  inbox.put("b", 1);
  await new Promise(setImmediate);
  expect(taken).toBeUndefined();
  inbox.put("closed", 1, true);
  await taking;
  expect(taken).toEqual(["a", "b", "closed"]);
  // There already: nobody waits.
  inbox.put("c", 1);
  expect(await inbox.take(60_000, 60_000)).toEqual(["c"]);
});

test.each([
  ["entries", 500, 1],
  ["bytes", 2, MIB],
])("a whole batch of %s holds up who fills, until it is taken", async (_of, count, bytes) => {
  const inbox = filled(count - 1, bytes);
  expect(await inbox.room(0)).toBe(true);
  inbox.put(count, bytes);
  expect(inbox.isFull).toBe(true);
  let hasRoom: boolean | undefined;
  const waiting = inbox.room(60_000).then((room) => {
    hasRoom = room;
  });
  await Promise.resolve();
  expect(hasRoom).toBeUndefined();
  await inbox.take(0);
  await waiting;
  expect(hasRoom).toBe(true);
});

test("who fills learns that nothing was taken for too long", async () => {
  expect(await filled(500, 1).room(1)).toBe(false);
});

test("items gather for the given time, at most a whole batch", async () => {
  const few = filled(1, 1);
  await few.gather(5);
  const gathering = few.gather(60_000);
  for (let i = 1; i < 500; i++) few.put(i, 1);
  await gathering;
  await few.gather(60_000);
  expect(await few.take(0)).toHaveLength(500);
});

test("who gathers begins at any time, and all end in the same turn", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    const ended: number[] = [];
    const gather = () =>
      filled(1, 1)
        .gather(100)
        .then(() => ended.push(performance.now()));
    const begun = performance.now();
    for (const ms of [0, 10, 20, 19]) {
      void gather();
      await vi.advanceTimersByTimeAsync(ms);
    }
    await vi.advanceTimersByTimeAsync(150);
    expect(new Set(ended).size).toBe(1);
    // As late as they have asked for, more or less by half.
    expect((ended[0] ?? 0) - begun).toBeGreaterThanOrEqual(50);
    expect(ended).toHaveLength(4);
    void gather();
    await vi.advanceTimersByTimeAsync(49);
    expect(ended).toHaveLength(4);
    await vi.advanceTimersByTimeAsync(101);
    expect(ended).toHaveLength(5);
  } finally {
    vi.useRealTimers();
  }
});

test("an urgent item ends the gathering, until it is taken", async () => {
  const inbox = filled(1, 1);
  const gathering = inbox.gather(60_000);
  inbox.put(1, 1, true);
  await gathering;
  await inbox.gather(60_000);
  expect(await inbox.take(0)).toEqual([0, 1]);
  let hasGathered = false;
  const later = inbox.gather(60_000).then(() => {
    hasGathered = true;
  });
  inbox.put(2, 1);
  await new Promise(setImmediate);
  expect(hasGathered).toBe(false);
  inbox.end();
  await later;
});

test("the end wakes both sides", async () => {
  const empty = new Inbox<number>();
  const taking = empty.take(60_000);
  empty.end();
  expect(await taking).toEqual([]);
  const full = filled(500, 1);
  const waiting = full.room(60_000);
  full.end();
  expect(await waiting).toBe(false);
  expect(full.ended).toBe(true);
});
