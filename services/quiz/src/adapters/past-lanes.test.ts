import { create } from "@bufbuild/protobuf";
import { ScoredAnswerSchema } from "@fanfare/proto/events/v1/events";
import { expect, test } from "vitest";
import { AnswerFold } from "../domain/answer-fold.js";
import { PastLanes } from "./past-lanes.js";

/** Lanes that hold ten answers once they are read. */
function stage(limits: { lanesPerSecondMax: number; answersMax: number }, closed = true) {
  let now = 0;
  const hits: string[] = [];
  const read: string[] = [];
  const past = new PastLanes(limits, { pastLimitHit: (limit) => hits.push(limit) }, () => now);
  const get = (key: string) =>
    past.get(key, () => {
      const fold = new AnswerFold();
      const changes = Array.from({ length: 10 }, (_, i) =>
        create(ScoredAnswerSchema, { playerId: `${key}-${i}` }),
      );
      const refresh = async () => {
        read.push(key);
        fold.apply(changes, { closed, sequence: 1 });
      };
      return { fold, refresh };
    });
  return { get, hits, read, at: (ms: number) => (now = ms) };
}

test("a closed lane is read once for all who ask", async () => {
  const { get, read } = stage({ lanesPerSecondMax: 5, answersMax: 1_000 });
  const lanes = await Promise.all([get("a"), get("a")]);
  expect(await get("a")).toBe(lanes[0]);
  expect(lanes[1]?.fold.get("a-9")).toBeDefined();
  expect(read).toEqual(["a"]);
});

test("only so many are read in a second, and what is too much is counted", async () => {
  const { get, hits, read, at } = stage({ lanesPerSecondMax: 2, answersMax: 1_000 });
  expect(await get("a")).toBeDefined();
  expect(await get("b")).toBeDefined();
  expect(await get("c")).toBeUndefined();
  expect(hits).toEqual(["PAST_LANES_PER_SECOND_MAX"]);
  expect(await get("a")).toBeDefined();
  at(500);
  expect(await get("c")).toBeDefined();
  expect(await get("d")).toBeUndefined();
  expect(read).toEqual(["a", "b", "c"]);
});

test("what is kept is bounded: the lane that was asked for longest ago goes", async () => {
  const { get, hits, read } = stage({ lanesPerSecondMax: 100, answersMax: 25 });
  for (const key of ["a", "b", "a", "c", "a", "b"]) await get(key);
  expect(read).toEqual(["a", "b", "c", "b"]);
  expect(hits).toEqual(["PAST_ANSWERS_MAX", "PAST_ANSWERS_MAX"]);
});

test("a lane that is not closed may grow, and is read again each time", async () => {
  const { get, read } = stage({ lanesPerSecondMax: 100, answersMax: 25 }, false);
  await get("a");
  await get("a");
  expect(read).toEqual(["a", "a"]);
});
