/** Readers on a real NATS: whatever happens, each entry is applied exactly once, in order. */
import { PARTITIONS, partitionOf, STREAMS, subjectForScore } from "@fanfare/proto/addresses";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Bus, connectBus } from "../src/bus.js";
import type { Lifecycle } from "../src/lifecycle.js";
import { readPartitions } from "../src/partition-reader.js";
import { Presence } from "../src/presence.js";
import { ReaderMetrics } from "../src/reader-metrics.js";
import { type NatsServer, startNats } from "../src/servers/nats.js";
import { MemoryProjection } from "./memory-projection.js";
import { eventually, type LogLine, newLifecycle } from "./parts.js";

const SESSIONS = Array.from({ length: 40 }, (_, i) => `session_${i}`);
/** What a reader may hold: a batch at the sink, a full inbox, and what is on its way. */
const HELD_MAX = 500 + 500 + 100;

let nats: NatsServer;
let bus: Bus;
let lifecycle: Lifecycle;
let projection: MemoryProjection;
let published: number;
const pods: { lifecycle: Lifecycle; lines: LogLine[] }[] = [];

beforeAll(async () => {
  nats = await startNats({ syncInterval: "2m" });
});

beforeEach(async () => {
  ({ lifecycle } = newLifecycle());
  bus = await connectBus({ url: nats.url, name: "test", replicas: 1 }, lifecycle);
  projection = new MemoryProjection();
  published = 0;
});

afterEach(async () => {
  for (const pod of pods.splice(0)) await pod.lifecycle.close();
  // A new stream for each test: the next bus makes it.
  await bus.jsm.streams.delete(STREAMS.log);
  await lifecycle.close();
});

afterAll(() => nats?.[Symbol.asyncDispose]());

/** A pod that reads; pods of one kind share the partitions, one that is alone of its kind reads all. */
async function startPod(kind = "history", name = "pod-a") {
  const pod = newLifecycle();
  pods.push(pod);
  const own = await connectBus({ url: nats.url, name, replicas: 1 }, pod.lifecycle);
  const presence = await Presence.start(kind, name, own, pod.lifecycle);
  const registry = new Registry();
  const metrics = new ReaderMetrics(registry);
  const { lifecycle } = pod;
  const readers = readPartitions(projection, { bus: own, presence, lifecycle, metrics });
  return { ...pod, readers, presence, bus: own, registry };
}

/** Publishes entries over all sessions, as many at once as one connection may have under way. */
async function publish(count: number, payload = "20"): Promise<void> {
  for (let at = 0; at < count; at += 200) {
    const some = Array.from({ length: Math.min(200, count - at) }, (_, i) => {
      const sessionId = SESSIONS[(at + i) % SESSIONS.length] ?? "";
      const subject = subjectForScore({ sessionId, round: 1, outsider: `p${published + at + i}` });
      return bus.js.publish(subject, payload, { timeout: 20_000, retries: 0 });
    });
    await Promise.all(some);
  }
  published += count;
}

/** Sequences of the log by partition, as the server has them. */
async function stored(): Promise<number[][]> {
  const log = projection.sequences().map((): number[] => []);
  const { state } = await bus.jsm.streams.info(STREAMS.log);
  for (let next = state.first_seq; next <= state.last_seq; ) {
    const batch = await bus.jsm.direct.getBatch(STREAMS.log, { seq: next, batch: 1_000 });
    for await (const { seq, subject } of batch) {
      log[Number(subject.split(".")[1])]?.push(seq);
      next = seq + 1;
    }
  }
  return log;
}

async function expectAppliedOnce(): Promise<void> {
  await eventually(`${published} entries applied`, () => projection.count() >= published);
  expect(projection.sequences()).toEqual(await stored());
}

test("what is there and what comes is applied in order, in batches", async () => {
  await publish(3_000);
  await startPod();
  await publish(500);
  await expectAppliedOnce();
  expect(projection.batches).toBeLessThan(1_000);
});

test("a projection that refuses and fails at random misses and repeats nothing", async () => {
  let calls = 0;
  projection.before = () => {
    calls++;
    if (calls % 7 === 0) throw new Error("the store is away");
    return calls % 5 === 0;
  };
  await startPod();
  for (let i = 0; i < 20; i++) await publish(100);
  await expectAppliedOnce();
  expect(projection.refusals).toBeGreaterThan(0);
});

test("a projection that was emptied is filled again within 2 s, at rest and in mid-flow", async () => {
  await startPod();
  await publish(1_000);
  await expectAppliedOnce();
  projection.forget();
  await eventually("read again at rest", () => projection.count() === 1_000, 2_000);
  const flow = publish(1_000);
  projection.forget();
  await flow;
  await expectAppliedOnce();
});

test("two pods that both feel responsible do no harm", async () => {
  await startPod("history", "pod-a");
  await startPod("leaderboard", "pod-b");
  for (let i = 0; i < 10; i++) await publish(100);
  await expectAppliedOnce();
  expect(projection.refusals).toBeGreaterThan(0);
});

test("pods of one kind share the partitions, and one that leaves is followed at once", async () => {
  const [a, b] = [await startPod("history", "pod-a"), await startPod("history", "pod-b")];
  await eventually("both know each other", () =>
    [a, b].every(({ presence }) => presence.members().length === 2),
  );
  await publish(400);
  await expectAppliedOnce();
  await a.lifecycle.close();
  await publish(400);
  await expectAppliedOnce();
});

test("NATS killed with -9 in mid-flow: after its restart nothing is missing, nothing is double", async () => {
  const { lines } = await startPod();
  await publish(500);
  await nats.kill("SIGKILL");
  await nats.restart();
  await eventually("connected again", () => bus.connected());
  const restarted = performance.now();
  await publish(500);
  await expectAppliedOnce();
  expect(performance.now() - restarted).toBeLessThan(5_000);
  expect(lines.filter(({ level }) => level >= 40).length).toBeLessThanOrEqual(16);
});

test("a slow sink bounds what is held, however much there is to read", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const sessionId = SESSIONS[0] ?? "";
  for (let i = 0; i < 5_000; i++)
    bus.nc.publish(subjectForScore({ sessionId, round: 1, outsider: `p${i}` }), "20");
  await eventually("all stored", async () => {
    const { state } = await bus.jsm.streams.info(STREAMS.log);
    return state.messages === 5_000;
  });
  published = 5_000;
  projection.before = async () => {
    await held;
    return false;
  };
  await startPod();
  const delivered = async () => {
    let sum = 0;
    for await (const { config, delivered } of bus.jsm.consumers.list(STREAMS.log))
      if (config.filter_subjects?.[0] === `LOG.${partitionOf(sessionId)}.>`)
        sum += delivered.consumer_seq;
    return sum;
  };
  await eventually("the reader is full", async () => (await delivered()) >= 500);
  // Until well after the client takes the silence for a loss and asks again.
  await expect(
    eventually("more is held than may be", async () => (await delivered()) > HELD_MAX, 6_000),
  ).rejects.toThrow("not within");
  release();
  await expectAppliedOnce();
});

test("a log that was purged is read on from what is left", async () => {
  await publish(300);
  const { state } = await bus.jsm.streams.info(STREAMS.log);
  await bus.jsm.streams.purge(STREAMS.log, { seq: state.last_seq - 99 });
  published = 100;
  await startPod();
  await expectAppliedOnce();
  await bus.jsm.streams.purge(STREAMS.log);
  const before = structuredClone(projection.sequences());
  await publish(200);
  published = 300;
  await eventually("the rest is applied", () => projection.count() === 300);
  const after = await stored();
  expect(projection.sequences()).toEqual(before.map((old, i) => [...old, ...(after[i] ?? [])]));
});

test("a log that was made anew under the running readers is read from its beginning", async () => {
  await startPod();
  await publish(300);
  await expectAppliedOnce();
  await bus.jsm.streams.delete(STREAMS.log);
  const other = newLifecycle();
  pods.push(other);
  await connectBus({ url: nats.url, name: "maker", replicas: 1 }, other.lifecycle);
  published = 0;
  await publish(100);
  await eventually("the new log is read", () => projection.count() === 100);
  expect(projection.sequences()).toEqual(await stored());
});

test("a log that ends before the place of its projection is told as a loss", async () => {
  await publish(10);
  const { created } = (await bus.jsm.streams.info(STREAMS.log)) ?? {};
  const partition = partitionOf(SESSIONS[0] ?? "");
  const entry = { subject: "", sequence: 1_000, storedAtMs: 0, data: new Uint8Array() };
  await projection.apply({ partition, after: 0, entries: [entry], pending: 0 }, created);
  const { lines } = await startPod();
  await eventually("the loss is told", () =>
    lines.some(({ level, msg, place }) => level === 50 && msg.includes("lost") && place === 1_000),
  );
});

test("a partition that is restarted goes on from its place", async () => {
  const { readers } = await startPod();
  await publish(400);
  await expectAppliedOnce();
  for (let partition = 0; partition < 16; partition++) readers.restart(partition);
  await publish(400);
  await expectAppliedOnce();
});

test("a consumer that gives no more, though its heartbeats go on, is replaced", async () => {
  await startPod();
  await publish(40);
  await eventually("the first", () => projection.count() === 40);
  const until = new Date(Date.now() + 600_000);
  for await (const { name } of bus.jsm.consumers.list(STREAMS.log))
    await bus.jsm.consumers.pause(STREAMS.log, name, until);
  await publish(40);
  await eventually("the others", () => projection.count() === 80, 30_000);
});

/** What a pod's page says of a metric. */
async function said(registry: Registry, name: string): Promise<number> {
  const text = await registry.getSingleMetricAsString(name);
  return [...text.matchAll(/^\w+(?:\{[^}]*\})? (\S+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

test("a pod says how many entries it has applied, passed over, and read again", async () => {
  let refusals = 0;
  // The first batch that is refused is read again.
  projection.before = ({ entries }) => entries.length > 1 && refusals++ === 0;
  projection.passedOver = 1;
  await publish(400);
  const { registry } = await startPod();
  await expectAppliedOnce();
  const { batches } = projection;
  const text = await registry.metrics();
  expect(text).toContain(`quiz_events_consumed_total{result="applied"} ${400 - batches}\n`);
  expect(text).toContain(`quiz_events_consumed_total{result="passed over"} ${batches}\n`);
  expect(await said(registry, "quiz_events_redelivered_total")).toBeGreaterThan(1);
  expect(await said(registry, "quiz_event_partitions")).toBe(PARTITIONS);
  expect(text).toContain(`quiz_event_apply_duration_seconds_count ${batches}\n`);
});

test("entries that come while the store is away wait, and are seen to", async () => {
  await publish(40);
  const { registry } = await startPod();
  await expectAppliedOnce();
  expect(await said(registry, "quiz_event_consumer_lag")).toBe(0);
  expect(await said(registry, "quiz_event_consumer_lag_seconds")).toBe(0);
  projection.isAway = true;
  await publish(400);
  await eventually(
    "all that waits is counted",
    async () => (await said(registry, "quiz_event_consumer_lag")) === 400,
    30_000,
  );
  expect(await said(registry, "quiz_event_consumer_lag_seconds")).toBeGreaterThan(0);
  projection.isAway = false;
  await expectAppliedOnce();
  await eventually(
    "nothing waits",
    async () => (await said(registry, "quiz_event_consumer_lag")) === 0,
  );
  expect(await said(registry, "quiz_event_consumer_lag_seconds")).toBe(0);
});
