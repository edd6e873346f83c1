/** NATS is away while a round is open: what players lost of it they get back, and nothing waits for long. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { connectBus } from "@fanfare/common/bus";
import { startBusClock } from "@fanfare/common/bus-clock";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { subjectForScore } from "@fanfare/proto/addresses";
import { Pacing, Phase } from "@fanfare/proto/quiz/v1/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LogOutages } from "../src/adapters/log-outages.js";
import { OUTAGE_MIN_MS } from "../src/domain/outage.js";
import {
  choiceOf,
  createSession,
  joinPlayers,
  type Pod,
  type Stores,
  startPod,
  startStores,
  submit,
  until,
  untilPhase,
} from "./pods.js";

/** The fault itself: how long NATS is away. */
const AWAY_MS = 4_000;
/** From the first connection to the reveal, and what a busy machine adds. */
const REVEALED_WITHIN_MS = 2_500;

let stores: Stores;
let pods: [Pod, Pod];

beforeAll(async () => {
  stores = await startStores();
  pods = [await startPod(stores), await startPod(stores)];
});

afterAll(async () => {
  for (const pod of pods ?? []) await pod.stop();
  await stores?.[Symbol.asyncDispose]();
});

async function openedRound(pacing: Pacing) {
  const [pod] = pods;
  const session = await createSession(pod, { pacing, roundSeconds: 8 }, 1);
  const { sessionId } = session;
  const players = await joinPlayers(pod, sessionId, 2);
  await pod.client.startSession({ sessionId });
  const open = await untilPhase(pod, sessionId, Phase.OPEN, 1);
  const answer = (player: number) => ({
    playerId: players[player] ?? "",
    submissionId: `a${player}`,
    choices: [choiceOf(open, "right 1")],
    elapsedMs: 1_000,
  });
  const service = pod.as({ role: "service", subject: "test" });
  return { sessionId, open, send: (player: number) => submit(service, open, 1, [answer(player)]) };
}

const endOf = ({ phaseEndsAt }: { phaseEndsAt?: Parameters<typeof timestampMs>[0] | undefined }) =>
  phaseEndsAt ? timestampMs(phaseEndsAt) : 0;

/** Kills NATS and brings it back; resolves with how long it was away. */
async function outage(): Promise<number> {
  const killedAt = performance.now();
  await stores.nats.kill("SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
  await stores.nats.restart();
  return performance.now() - killedAt;
}

test("a host-paced round gets the time of an outage back, once, with several pods", async () => {
  const [, other] = pods;
  const { sessionId, open, send } = await openedRound(Pacing.HOST);
  expect(await send(0)).toMatchObject([{ refused: 0 }]);
  const awayMs = await outage();
  const longer = await until(async () => {
    const { session } = await other.client
      .getSession({ sessionId })
      .catch(() => ({ session: undefined }));
    return session && session.givenBackMs > 0 && session;
  });
  // The other pod has had its say by then.
  expect(
    await until(() =>
      send(1).then(
        ([verdict]) => verdict?.refused === 0 && verdict,
        () => false,
      ),
    ),
  ).toBeTruthy();
  const { session: now } = await other.client.getSession({ sessionId });
  for (const session of [longer, now ?? longer]) {
    expect(session.givenBackMs).toBeGreaterThan(AWAY_MS - 500);
    expect(session.givenBackMs).toBeLessThan(awayMs + 2_500);
    expect(endOf(session)).toBe(endOf(open) + session.givenBackMs);
    expect(session.timeLimitMs).toBe(open.timeLimitMs + session.givenBackMs);
  }
  const { reveal } = await untilPhase(other, sessionId, Phase.REVEAL, 1);
  expect(reveal?.answers).toBe(2);
});

test("a round that plays by itself is over when NATS is back, and told at once", async () => {
  const [pod] = pods;
  const { sessionId, open, send } = await openedRound(Pacing.AUTO);
  await send(0);
  await stores.nats.kill("SIGKILL");
  // Until the end and its grace have passed.
  const graceMs = 1_000;
  const restMs = endOf(open) - Date.now() + graceMs;
  await new Promise((resolve) => setTimeout(resolve, Math.max(restMs, AWAY_MS)));
  await stores.nats.restart();
  const backAt = performance.now();
  const revealed = await until(async () => {
    const { session } = await pod.client
      .getSession({ sessionId })
      .catch(() => ({ session: undefined }));
    return session && session.phase >= Phase.REVEAL && session;
  }, 15_000);
  const tookMs = performance.now() - backAt;
  expect(revealed.givenBackMs).toBe(0);
  expect(tookMs).toBeLessThan(REVEALED_WITHIN_MS);
});

test("what others could store shows that only this pod was cut off", async () => {
  const { lifecycle, bus, outages } = await watchedLog();
  const others = await connectBus({ url: stores.nats.url, name: "o", replicas: 1 }, lifecycle);
  const beganAt = performance.now();
  bus.storage.logFailed(beganAt);
  while (performance.now() - beganAt < 2 * OUTAGE_MIN_MS)
    await others.js.publish(subjectForScore({ sessionId: "o", round: 1, outsider: "o" }), "1");
  bus.storage.logAnswered();
  await outages.ensure();
  expect(outages.last).toBeUndefined();
  await lifecycle.close();
});

test("where nobody could, the time since the last entry is an outage", async () => {
  const { lifecycle, bus, outages, clock } = await watchedLog();
  const beganAt = clock.now();
  bus.storage.logFailed(performance.now());
  await until(async () => clock.now() - beganAt > 2 * OUTAGE_MIN_MS);
  bus.storage.logAnswered();
  await outages.ensure();
  expect(Math.abs((outages.last?.fromMs ?? 0) - beganAt)).toBeLessThan(500);
  expect(Math.abs((outages.last?.toMs ?? 0) - clock.now())).toBeLessThan(500);
  await lifecycle.close();
});

async function watchedLog() {
  const lifecycle = new Lifecycle(createLogger("test", "silent"));
  const bus = await connectBus({ url: stores.nats.url, name: "t", replicas: 1 }, lifecycle);
  const clock = await startBusClock(bus.jsm, lifecycle);
  // Its own looks would end what is staged here.
  bus.storage.look = async () => {};
  return { lifecycle, bus, clock, outages: new LogOutages(bus, clock) };
}
