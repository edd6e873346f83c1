/** Parts die, come back empty or are there twice: the board is what the log says, soon after. */

import { fromJsonString } from "@bufbuild/protobuf";
import { connectBus } from "@fanfare/common/bus";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { readPartitions } from "@fanfare/common/partition-reader";
import { Presence } from "@fanfare/common/presence";
import {
  PARTITIONS,
  partitionOf,
  redisKeys,
  STREAMS,
  subjectForLeaderboard,
} from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { type LeaderboardChanged, LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type Answer,
  answered,
  created,
  joined,
  laneClosed,
  outside,
  type Published,
  roundClosed,
} from "./events.js";
import { countOf, makeStandings, shownBoard } from "./projection.js";
import { referenceBoards } from "./reference-board.js";
import { eventually, Stack, tokenOf } from "./stack.js";

const SESSION = "quiz_1";

let stack: Stack;
let redis: Redis;

beforeEach(async () => {
  stack = await Stack.start();
  redis = new Redis(stack.redis.url, { retryStrategy: () => 50 });
  redis.on("error", () => {});
});

afterEach(async () => {
  redis?.disconnect();
  await stack?.[Symbol.asyncDispose]();
});

function answersOf(players: number, round: number): Answer[] {
  return Array.from({ length: players }, (_, i) => ({
    playerId: `player${i}`,
    points: (i * 37 + round) % 1_000,
    elapsedMs: 500 + i,
  }));
}

/** Two closed rounds and an open one, 1,000 players. */
function game(): Published[] {
  const players = Array.from({ length: 1_000 }, (_, i) => `player${i}`);
  const log = [created(SESSION, { liveBoard: true }), joined(SESSION, players)];
  for (const round of [1, 2, 3]) {
    const answers = answersOf(1_000, round);
    for (let from = 0; from < 1_000; from += 25)
      log.push(answered(SESSION, round, answers.slice(from, from + 25)));
    if (round < 3) log.push(laneClosed(SESSION, round), roundClosed(SESSION, round, answers));
  }
  return log;
}

/** Waits until the board is exactly that of the log; fails with the first rows that differ. */
async function awaitBoardOf(log: readonly Published[], limitMs?: number): Promise<void> {
  const expected = referenceBoards(log).get(SESSION);
  const differences = async () => {
    const shown = await shownBoard(redis, SESSION);
    const rows = expected?.rows.map((row, i) => [
      JSON.stringify(row),
      JSON.stringify(shown.rows[i]),
    ]);
    const differ = (rows ?? []).filter(([one, other]) => one !== other).slice(0, 3);
    const isSame = JSON.stringify(shown) === JSON.stringify(expected);
    return isSame ? [] : [...differ, [expected?.rows.length, shown.rows.length]];
  };
  await eventually(
    () => differences().catch(String),
    (found) => found.length === 0,
    limitMs,
  );
}

test("FLUSHALL in mid-round: the board is equal again within two seconds", async () => {
  const pod = await stack.startPod();
  const log = game();
  const half = log.length - 20;
  await stack.publish(...log.slice(0, half));
  await awaitBoardOf(log.slice(0, half));
  const before = await stack.awaitSnapshot(SESSION, ({ answers }) => answers === 500);

  await redis.flushall();
  const flushedAt = performance.now();
  await stack.publish(...log.slice(half));
  await awaitBoardOf(log, 2_000);
  const isWhole = ({ answers, epoch }: LeaderboardChanged) =>
    answers === 1_000 && epoch > before.epoch;
  await stack.awaitSnapshot(SESSION, isWhole, 2_000 - (performance.now() - flushedAt));
  expect(await pod.count("quiz_leaderboard_rebuilds_total", { reason: "empty" })).toBeGreaterThan(
    0,
  );
});

test("a Redis that comes back empty, with a clock that is behind: its boards are shown", async () => {
  const hourMs = 3_600_000;
  await redis.hset(redisKeys.position(partitionOf(SESSION)), "epoch", Date.now() + hourMs);
  await stack.startPod();
  const log = game();
  await stack.publish(...log);
  const before = await stack.awaitSnapshot(SESSION, ({ answers }) => answers === 1_000);
  expect(Number(before.epoch)).toBeGreaterThan(Date.now() + hourMs / 2);

  await redis.flushall();
  const isAnew = ({ answers, epoch }: LeaderboardChanged) =>
    answers === 1_000 && epoch > before.epoch;
  const anew = await stack.awaitSnapshot(SESSION, isAnew, 5_000);
  // And it goes on from there.
  await stack.publish(outside(SESSION, 3, "somebody", "20"));
  const isNext = ({ epoch, version }: LeaderboardChanged) =>
    epoch === anew.epoch && version > anew.version;
  await stack.awaitSnapshot(SESSION, isNext, 2_000);
});

test("a board that is built again is shown whole or not at all", async () => {
  const pod = await stack.startPod();
  const log = game();
  await stack.publish(...log);
  await awaitBoardOf(log);
  const isLast = ({ round, answers }: LeaderboardChanged) => round === 3 && answers === 1_000;
  const before = await stack.awaitSnapshot(SESSION, isLast);
  const storedAt = performance.now();
  // What was stored just now may be shown while there is more: it is a live board's normal life.
  await eventually(
    async () => performance.now() - storedAt,
    (age) => age > 1_100,
  );
  const heard: LeaderboardChanged[] = [];
  stack.bus.nc.subscribe(subjectForLeaderboard(SESSION), {
    callback: (_, message) => {
      heard.push(fromJsonString(LeaderboardChangedSchema, message.string()));
    },
  });
  await pod.client.rebuildLeaderboard({ sessionId: SESSION }, { token: tokenOf("admin") });
  await stack.awaitSnapshot(SESSION, ({ epoch }) => epoch > before.epoch);
  await awaitBoardOf(log);
  await eventually(
    async () => heard.length,
    (count) => count > 0,
  );
  for (const { standings, version } of heard)
    expect({ standings, version }).toEqual({
      standings: before.standings,
      version: before.version,
    });
});

test("a Redis that is killed and comes back empty is filled again", async () => {
  await stack.startPod();
  const log = game();
  await stack.publish(...log.slice(0, 50));
  await awaitBoardOf(log.slice(0, 50));
  await stack.redis.kill("SIGKILL");
  await stack.publish(...log.slice(50));
  await stack.redis.restart();
  await awaitBoardOf(log);
  await stack.awaitSnapshot(SESSION, ({ answers }) => answers === 1_000);
});

test("a Redis that hangs is away like any other, and goes on where it was", async () => {
  const pod = await stack.startPod();
  const log = game();
  await stack.publish(...log.slice(0, 50));
  await awaitBoardOf(log.slice(0, 50));
  await stack.redis.kill("SIGSTOP");
  try {
    await stack.publish(...log.slice(50));
    const read = pod.client.getLeaderboard({ sessionId: SESSION }, { timeoutMs: 10_000 });
    await expect(read).rejects.toMatchObject({ reason: ErrorReason.UNAVAILABLE });
  } finally {
    await stack.redis.kill("SIGCONT");
  }
  await awaitBoardOf(log);
  await stack.awaitSnapshot(SESSION, ({ answers }) => answers === 1_000);
});

test("a Redis that went back in time is caught up", async () => {
  await stack.startPod();
  const log = game();
  await stack.publish(...log.slice(0, 50));
  await awaitBoardOf(log.slice(0, 50));
  const keys = await redis.keys("*");
  const kept = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  await stack.publish(...log.slice(50));
  await awaitBoardOf(log);
  const back = redis.multi().flushall();
  for (const [i, key] of keys.entries()) back.restore(key, 0, kept[i] as Buffer);
  await back.exec();
  await awaitBoardOf(log);
});

test("NATS is killed in mid-round and comes back: everything acknowledged is on the board", async () => {
  await stack.startPod();
  const log = game();
  await stack.publish(...log.slice(0, 50));
  await awaitBoardOf(log.slice(0, 50));
  await stack.nats.kill("SIGKILL");
  await stack.nats.restart();
  const isConnected = async () =>
    stack.bus.nc.rtt().then(
      () => stack.bus.connected(),
      () => false,
    );
  await eventually(isConnected, (connected) => connected);
  await stack.publish(...log.slice(50));
  await awaitBoardOf(log);
});

test("a pod that goes hands its partitions to the other, which shows what was left", async () => {
  const first = await stack.startPod("pod-a");
  const second = await stack.startPod("pod-b");
  const partitions = async () =>
    Promise.all([first, second].map((pod) => pod.count("quiz_event_partitions")));
  await eventually(partitions, ([a = 0, b = 0]) => a > 0 && b > 0 && a + b === PARTITIONS);
  const log = game();
  await stack.publish(...log.slice(0, 60));
  await awaitBoardOf(log.slice(0, 60));
  const isFirst = (await first.count("quiz_events_consumed_total")) > 0;
  await (isFirst ? first : second).stop();
  await stack.publish(...log.slice(60));
  await awaitBoardOf(log);
  await stack.awaitSnapshot(SESSION, ({ answers }) => answers === 1_000);
});

test("a pod that dies between board and snapshot: the next one publishes it", async () => {
  // Applied by a projection that publishes nothing.
  const lifecycle = new Lifecycle(createLogger("test", "silent"));
  await startReader("silent", lifecycle);
  const log = game();
  await stack.publish(...log);
  await awaitBoardOf(log);
  await lifecycle.close();
  expect(await stack.snapshot(SESSION)).toBeUndefined();
  await stack.startPod();
  await stack.awaitSnapshot(SESSION, ({ answers }) => answers === 1_000);
});

/** A reader of all partitions that knows of no other. */
async function startReader(name: string, lifecycle: Lifecycle) {
  const bus = await connectBus({ url: stack.nats.url, name, replicas: 1 }, lifecycle);
  const connection = new Redis(stack.redis.url, { enableAutoPipelining: true });
  lifecycle.push("redis", () => connection.disconnect());
  const parts = makeStandings(connection);
  const presence = await Presence.start(`alone-${name}`, name, bus, lifecycle);
  readPartitions(parts.standings, { bus, presence, lifecycle, metrics: parts.metrics.reader });
  return parts;
}

test("two pods that both read all partitions apply everything once", async () => {
  const lifecycle = new Lifecycle(createLogger("test", "silent"));
  const readers = [await startReader("one", lifecycle), await startReader("two", lifecycle)];
  const log = [...game(), outside(SESSION, 3, "someusername", "20")];
  await stack.publish(...log);
  await awaitBoardOf(log);
  const counts = readers.map(({ metrics }) =>
    countOf(metrics, "quiz_leaderboard_scores_total", { result: "counted" }),
  );
  const [one = 0, two = 0] = await Promise.all(counts);
  expect(one + two).toBe(3_000);
  const duplicates = readers.map(({ metrics }) =>
    countOf(metrics, "quiz_leaderboard_scores_total", { result: "duplicate" }),
  );
  expect(await Promise.all(duplicates)).toEqual([0, 0]);
  await lifecycle.close();
});

test("boards of a log that is no more are dropped for those of the new one", async () => {
  const pod = await stack.startPod();
  const log = game();
  await stack.publish(...log);
  await awaitBoardOf(log);
  await pod.stop();
  const { config } = await stack.bus.jsm.streams.info(STREAMS.log);
  await stack.bus.jsm.streams.delete(STREAMS.log);
  await stack.bus.jsm.streams.add({ ...config, name: STREAMS.log });
  const anew = [outside(SESSION, 1, "ann", "20")];
  await stack.publish(...anew);
  await stack.startPod();
  await awaitBoardOf(anew);
  await stack.awaitSnapshot(SESSION, ({ players }) => players === 1);
});
