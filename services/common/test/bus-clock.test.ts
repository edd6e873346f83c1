/** One clock for all pods: the server's, whatever their own say. */
import { STREAMS } from "@fanfare/proto/addresses";
import type { JetStreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Bus, connectBus } from "../src/bus.js";
import { startBusClock } from "../src/bus-clock.js";
import type { Lifecycle } from "../src/lifecycle.js";
import { Metrics } from "../src/metrics.js";
import { type NatsServer, startNats } from "../src/servers/nats.js";
import { newLifecycle } from "./parts.js";

describe("on a real server", () => {
  let nats: NatsServer;
  let bus: Bus;
  let lifecycle: Lifecycle;

  beforeAll(async () => {
    nats = await startNats({ syncInterval: "2m" });
    ({ lifecycle } = newLifecycle());
    bus = await connectBus({ url: nats.url, name: "test", replicas: 1 }, lifecycle);
  });

  afterAll(async () => {
    await lifecycle?.close();
    await nats?.[Symbol.asyncDispose]();
  });

  /** Between which two times on our clock the server's answer was made, and what it says. */
  async function ask(now: () => number) {
    const before = now();
    const { ts } = (await bus.jsm.streams.info(STREAMS.log)) as unknown as { ts: string };
    return { before, server: Date.parse(ts), after: now() };
  }

  test("it is the server's time, within the round trip", async () => {
    const clock = await startBusClock(bus.jsm, lifecycle);
    for (let i = 0; i < 5; i++) {
      const { before, server, after } = await ask(() => clock.now());
      // One reading's error, and rounding.
      expect(server).toBeGreaterThanOrEqual(before - 20);
      expect(server).toBeLessThanOrEqual(after + 20);
    }
  });

  test("a wall clock that is wrong, and one that steps, change nothing", async () => {
    const real = Date.now;
    const dateNow = vi.spyOn(Date, "now");
    try {
      dateNow.mockImplementation(() => real() + 30_000);
      const clock = await startBusClock(bus.jsm, lifecycle);
      expect(Math.abs(clock.now() - real())).toBeLessThan(1_000);
      dateNow.mockImplementation(() => real() - 30_000);
      expect(Math.abs(clock.now() - real())).toBeLessThan(1_000);
    } finally {
      dateNow.mockRestore();
    }
  });

  test("it tells whole milliseconds that never go back between readings", async () => {
    const clock = await startBusClock(bus.jsm, lifecycle);
    let last = clock.now();
    for (let i = 0; i < 10_000; i++) {
      const now = clock.now();
      expect(Number.isInteger(now) && now >= last).toBe(true);
      last = now;
    }
  });
});

describe("with readings of all kinds", () => {
  const START = 1_000_000;
  /** What the server's clock shows more than ours, and how long question and answer travel. */
  let server = { aheadMs: 0, thereMs: 1, backMs: 1 };

  afterEach(() => {
    vi.useRealTimers();
  });

  async function start() {
    vi.useFakeTimers({ now: START });
    const origin = performance.now();
    const serverNow = () => START + (performance.now() - origin) + server.aheadMs;
    const info = async () => {
      const { thereMs, backMs } = server;
      await new Promise((resolve) => setTimeout(resolve, thereMs));
      const ts = new Date(serverNow()).toISOString();
      await new Promise((resolve) => setTimeout(resolve, backMs));
      return { ts };
    };
    const { lifecycle, lines } = newLifecycle();
    const metrics = new Metrics("test");
    const jsm = { streams: { info } } as unknown as JetStreamManager;
    const starting = startBusClock(jsm, lifecycle, metrics);
    await vi.advanceTimersByTimeAsync(100);
    const clock = await starting;
    const errorMs = () => Math.abs(clock.now() - serverNow());
    const counted = async () => (await metrics.clockSteps.get()).values[0]?.value;
    const told = () => lines.filter(({ msg }) => msg.includes("stepped")).map((l) => l.stepMs);
    return { errorMs, lifecycle, counted, told };
  }

  test("a slow answer moves nothing, also long after the last quick one", async () => {
    server = { aheadMs: 5_000, thereMs: 1, backMs: 1 };
    const { errorMs, lifecycle } = await start();
    expect(errorMs()).toBeLessThanOrEqual(1);
    server = { ...server, thereMs: 0, backMs: 3_000 };
    for (let i = 0; i < 20; i++) {
      await vi.advanceTimersByTimeAsync(10_000);
      expect(errorMs()).toBeLessThanOrEqual(1);
    }
    await lifecycle.close();
  });

  test("a step of the server's clock is followed with the next reading", async () => {
    server = { aheadMs: 0, thereMs: 1, backMs: 1 };
    const { errorMs, lifecycle } = await start();
    server = { ...server, aheadMs: -20_000 };
    await vi.advanceTimersByTimeAsync(11_000);
    expect(errorMs()).toBeLessThanOrEqual(1);
    await lifecycle.close();
  });

  test("a step is told and counted once, however long it lasts", async () => {
    server = { aheadMs: 0, thereMs: 1, backMs: 1 };
    const { lifecycle, counted, told } = await start();
    server = { ...server, aheadMs: 2_500 };
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told()).toEqual([2_500]);
    server = { ...server, aheadMs: 0 };
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told()).toEqual([2_500, -2_500]);
    expect(await counted()).toBe(2);
    await lifecycle.close();
  });

  test("neither this process's own wrong clock nor drift nor a slow answer is told", async () => {
    server = { aheadMs: 60_000, thereMs: 1, backMs: 1 };
    const { lifecycle, counted, told } = await start();
    for (let i = 1; i <= 20; i++) {
      server = { aheadMs: 60_000 + i * 400, thereMs: 1, backMs: i % 2 ? 1 : 4_000 };
      await vi.advanceTimersByTimeAsync(20_000);
    }
    expect(told()).toEqual([]);
    expect(await counted()).toBe(0);
    await lifecycle.close();
  });

  test("where all answers have become slower, one of them is taken in the end", async () => {
    server = { aheadMs: 0, thereMs: 1, backMs: 1 };
    const { errorMs, lifecycle } = await start();
    server = { aheadMs: 300, thereMs: 20, backMs: 20 };
    await vi.advanceTimersByTimeAsync(60_000);
    expect(errorMs()).toBeLessThanOrEqual(20);
    await lifecycle.close();
  });

  test("readings that fail leave the clock as it is", async () => {
    server = { aheadMs: 700, thereMs: 1, backMs: 1 };
    const { errorMs, lifecycle } = await start();
    server = { ...server, thereMs: Number.NaN };
    vi.spyOn(Date.prototype, "toISOString").mockImplementation(() => {
      throw new Error("NATS is away");
    });
    await vi.advanceTimersByTimeAsync(60_000);
    vi.restoreAllMocks();
    expect(errorMs()).toBeLessThanOrEqual(1);
    await lifecycle.close();
  });
});
