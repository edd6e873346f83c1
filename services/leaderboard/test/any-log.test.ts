/** Whatever the log, however it is cut, repeated and raced for: the board is that of the reference. */

import { partitionOf } from "@fanfare/proto/addresses";
import fc from "fast-check";
import { expect, test } from "vitest";
import { chunks, log, SESSIONS, sameRoundTwice } from "./arbitrary-log.js";
import type { Published } from "./events.js";
import { apply, countOf, GENERATION, makeStandings, shownBoard, stored } from "./projection.js";
import { useRedis } from "./redis-store.js";
import { referenceBoards } from "./reference-board.js";

const PARTITION = partitionOf(SESSIONS[0]);
const EMPTY = { rows: [], finalRound: 0, joined: 0, ended: false };

const store = useRedis();

async function expectReference(entries: readonly Published[]): Promise<void> {
  const expected = referenceBoards(entries);
  for (const sessionId of SESSIONS)
    expect(await shownBoard(store.redis, sessionId)).toEqual(expected.get(sessionId) ?? EMPTY);
}

test("the sessions of these tests share a partition", () => {
  expect(SESSIONS.map(partitionOf)).toEqual([PARTITION, PARTITION]);
});

test("any partition of a log into batches gives the reference's board, and no audit differs", async () => {
  const cut = log.chain((entries) =>
    chunks(stored(entries)).map((batches) => ({ entries, batches })),
  );
  await fc.assert(
    fc.asyncProperty(cut, async ({ entries, batches }) => {
      await store.redis.flushall();
      const { standings, metrics } = makeStandings(store.redis);
      for (const batch of batches)
        expect(await apply(standings, PARTITION, batch)).toBe(batch.at(-1)?.sequence);
      await expectReference(entries);
      expect(await countOf(metrics, "quiz_audit_mismatches_total")).toBe(0);
    }),
    { numRuns: 150 },
  );
});

test("repeated batches, restarts, a lost Redis and a second reader change nothing", async () => {
  const fault = fc.constantFrom("none", "none", "repeat", "restart", "second", "flush");
  const faulty = log.chain((entries) =>
    fc.record({
      entries: fc.constant(entries),
      sizes: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 10 }),
      faults: fc.array(fault, { minLength: 1, maxLength: 40 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(faulty, async ({ entries, sizes, faults }) => {
      await store.redis.flushall();
      const all = stored(entries);
      let { standings } = makeStandings(store.redis);
      let place = await standings.position(PARTITION, GENERATION);
      for (let step = 0; place < all.length; step++) {
        const batch = all.slice(place, place + (sizes[step % sizes.length] ?? 1));
        // Past the last fault the log is read to its end.
        const happens = faults[step] ?? "none";
        if (happens === "flush") await store.redis.flushall();
        if (happens === "restart") standings = makeStandings(store.redis).standings;
        if (happens === "second") {
          const other = makeStandings(store.redis).standings;
          await Promise.all([apply(other, PARTITION, batch), apply(standings, PARTITION, batch)]);
        } else {
          await apply(standings, PARTITION, batch);
        }
        if (happens === "repeat") await apply(standings, PARTITION, batch);
        place = await standings.position(PARTITION, GENERATION);
      }
      await expectReference(entries);
    }),
    { numRuns: 150 },
  );
});

test("the order of the entries of a round makes no difference to its board", async () => {
  await fc.assert(
    fc.asyncProperty(sameRoundTwice, async ({ one, other }) => {
      const boards = [];
      for (const entries of [one, other]) {
        await store.redis.flushall();
        await apply(makeStandings(store.redis).standings, PARTITION, stored(entries));
        boards.push(await shownBoard(store.redis, SESSIONS[0]));
      }
      expect(boards[1]).toEqual(boards[0]);
    }),
    { numRuns: 100 },
  );
});
