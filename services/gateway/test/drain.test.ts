/** A stop: not ready first, then everybody is sent away in time, and nobody's answer is lost. */
import { expect, test } from "vitest";
import { until } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

test("a stop tells each client to come back after a delay of its own, and closes with 4001", async () => {
  const gateway = await suite.startGateway({ DRAIN_SPREAD_MS: "2000" });
  const sessionId = await suite.newSession();
  const players = await Promise.all(
    Array.from({ length: 60 }, (_, index) => gateway.join(sessionId, `p${index}`)),
  );
  const board = suite.use(gateway.connect("/livescore/drained"));
  await until("the board", () => board.texts.length === 1);
  const stopped = gateway.stop();
  const delays = await Promise.all(
    players.map(async (player) => {
      const { delayMs } = await suite.use(player).next("reconnect");
      const toldAt = performance.now();
      await player.closed;
      return { delayMs: delayMs as number, stayedMs: performance.now() - toldAt };
    }),
  );
  const codes = await Promise.all(
    [...players, board].map(async (each) => (await each.closed).code),
  );
  await stopped;
  expect(new Set(codes)).toEqual(new Set([4001]));
  // 61 sockets at 500 a second.
  expect(Math.max(...delays.map(({ delayMs }) => delayMs))).toBeLessThanOrEqual(122);
  expect(new Set(delays.map(({ delayMs }) => delayMs)).size).toBeGreaterThan(10);
  for (const { delayMs, stayedMs } of delays) expect(stayedMs).toBeGreaterThan(delayMs - 30);
  expect(board.texts).toEqual(["[]"]);
});

test("while it drains it is not ready but still serves, and then takes no connection", async () => {
  const gateway = await suite.startGateway({ DRAIN_MS: "400" });
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await suite.backstage.openRound(sessionId, 1);
  await ann.next("question");
  const ready = async () => (await fetch(`http://127.0.0.1:${gateway.adminPort}/readyz`)).status;
  expect(await ready()).toBe(200);
  const stopped = gateway.stop();
  await until("not ready", async () => (await ready()) === 503);
  ann.answer(1, "A", "a1");
  expect(await ann.next("accepted")).toEqual({ round: 1, submissionId: "a1" });
  await stopped;
  await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow();
});
