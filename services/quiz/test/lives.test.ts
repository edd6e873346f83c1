/** Everything of a session has a life: sessions that nobody moves on end, and what they held is given back. */
import { randomUUID } from "node:crypto";
import { connectBus, openBucket } from "@fanfare/common/bus";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { Pacing, Phase } from "@fanfare/proto/quiz/v1/session";
import type { KV } from "@nats-io/kv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createSession,
  type Pod,
  type Stores,
  startPod,
  startStores,
  until,
  untilPhase,
} from "./pods.js";

const IDLE_MS = 2_000;

let stores: Stores;
let pods: [Pod, Pod];
let pins: KV;
const lifecycle = new Lifecycle(createLogger("test", "silent"));

beforeAll(async () => {
  stores = await startStores();
  const env = { SESSION_IDLE_S: String(IDLE_MS / 1_000) };
  pods = [await startPod(stores, "a", env), await startPod(stores, "b", env)];
  const bus = await connectBus({ url: stores.nats.url, name: "test", replicas: 1 }, lifecycle);
  pins = await openBucket(bus, "pins");
});

afterAll(async () => {
  await lifecycle.close();
  await Promise.all(pods.map((pod) => pod.stop()));
  await stores[Symbol.asyncDispose]();
});

const isHeld = async (pin: string) => (await pins.get(pin))?.operation === "PUT";
const session = async (sessionId: string) =>
  (await pods[1].client.getSession({ sessionId })).session;

describe("a session that waits for somebody who does not come", () => {
  test.each([
    ["in the lobby", async () => {}, 0],
    [
      "paused",
      async (sessionId: string) => {
        await pods[0].client.startSession({ sessionId });
        await untilPhase(pods[0], sessionId, Phase.OPEN);
        await pods[0].client.pauseSession({ sessionId });
      },
      1,
    ],
    [
      "after a reveal",
      async (sessionId: string) => {
        await pods[0].client.startSession({ sessionId });
        await untilPhase(pods[0], sessionId, Phase.OPEN);
        await pods[0].client.nextRound({ sessionId });
        await untilPhase(pods[0], sessionId, Phase.REVEAL);
      },
      1,
    ],
  ])("%s is ended, once, as its host would", async (_, prepare, rounds) => {
    const { sessionId, pin } = await createSession(pods[0], { roundSeconds: 200 }, 3);
    await prepare(sessionId);
    expect((await session(sessionId))?.phase).not.toBe(Phase.ENDED);
    const over = await untilPhase(pods[0], sessionId, Phase.ENDED);
    expect([over.rounds, over.pin]).toEqual([rounds, ""]);
    await until(async () => !(await isHeld(pin)));
  });
});

test("a session that goes by its clock, or waits for its time, is not abandoned", async () => {
  const startsAt = { seconds: BigInt(Math.ceil(Date.now() / 1_000) + 4), nanos: 0 };
  const options = { pacing: Pacing.AUTO, roundSeconds: 5, revealSeconds: 1, startsAt };
  const { sessionId } = await createSession(pods[0], options as never, 1);
  const opened = await untilPhase(pods[0], sessionId, Phase.OPEN);
  expect(opened.round).toBe(1);
  const over = await untilPhase(pods[0], sessionId, Phase.ENDED);
  expect(over.rounds).toBe(1);
});

describe("the PIN of a session is free once it has ended", () => {
  const host = () => pods[0].client;
  test.each<[string, (sessionId: string) => Promise<unknown>]>([
    ["EndSession", (sessionId) => host().endSession({ sessionId })],
    [
      "NextRound",
      async (sessionId) => {
        await host().startSession({ sessionId });
        await untilPhase(pods[0], sessionId, Phase.OPEN);
        await host().nextRound({ sessionId });
        await untilPhase(pods[0], sessionId, Phase.REVEAL);
        await host().nextRound({ sessionId });
      },
    ],
    [
      "SkipRound",
      async (sessionId) => {
        await host().startSession({ sessionId });
        await untilPhase(pods[0], sessionId, Phase.OPEN);
        await host().skipRound({ sessionId });
      },
    ],
  ])("by %s", async (_, finish) => {
    const { sessionId, pin } = await createSession(pods[0], { roundSeconds: 200 }, 1);
    expect(await isHeld(pin)).toBe(true);
    await finish(sessionId);
    await untilPhase(pods[0], sessionId, Phase.ENDED);
    await until(async () => !(await isHeld(pin)));
  });

  test("and another session that has drawn it meanwhile keeps it", async () => {
    const { sessionId, pin } = await createSession(pods[0], { roundSeconds: 200 }, 1);
    const heir = `heir_${randomUUID()}`;
    await pins.put(pin, heir);
    await host().endSession({ sessionId });
    await untilPhase(pods[0], sessionId, Phase.ENDED);
    expect((await pins.get(pin))?.string()).toBe(heir);
  });
});
