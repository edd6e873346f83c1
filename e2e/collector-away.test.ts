/** A collector that is away or hangs neither slows nor stops play, nor holds up a stop for long. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { freePort } from "@fanfare/common/servers/free-port";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  choiceOf,
  joinPlayers,
  opened,
  openSession,
  type Stage,
  startStage,
  until,
} from "./stage.js";

/** An acknowledgement takes some 50 ms here; a hanging collector would hold it for 10 s. */
const ACK_WITHIN_MS = 2_000;
/** The flush of spans is given up after 3 s. */
const STOP_WITHIN_MS = 7_000;
const PLAYERS = 100;

const held = new Set<Socket>();
let hanging: Server;
let stage: Stage;

beforeAll(async () => {
  hanging = createServer((socket) => {
    held.add(socket);
    socket.on("error", () => {});
  });
  hanging.listen(0, "127.0.0.1");
  await once(hanging, "listening");
  const collector = (port: number) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
  const hangs = collector((hanging.address() as AddressInfo).port);
  const refuses = collector(await freePort());
  stage = await startStage({
    gateways: 2,
    env: {
      all: {
        ...hangs,
        OTEL_TRACES_SAMPLER: "always_on",
        OTEL_BSP_SCHEDULE_DELAY: "50",
        // Full at once: what comes beyond it is dropped.
        OTEL_BSP_MAX_QUEUE_SIZE: "64",
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "16",
      },
      "gateway-2": refuses,
      history: refuses,
    },
  });
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  for (const socket of held) socket.destroy();
  hanging?.close();
});

test("every answer is acknowledged in time, and stored", async () => {
  const sessionId = "away";
  await openSession(stage, sessionId, 1);
  const players = await joinPlayers(stage, sessionId, PLAYERS);
  await stage.quiz.startSession({ sessionId });
  const verdicts = await Promise.all(
    players.map(async (player) => {
      const question = await opened(player, 1);
      return player.answer(1, [choiceOf(question, "right 1")]);
    }),
  );
  const slowest = Math.max(
    ...verdicts.map((verdict) => (verdict.kind === "accepted" ? verdict.ackMs : Infinity)),
  );
  expect(slowest).toBeLessThan(ACK_WITHIN_MS);
  await until(() => held.size > 0);
  await stage.quiz.endSession({ sessionId });
  await until(async () => {
    const { standings } = await stage.leaderboard.getLeaderboard({ sessionId, pageSize: PLAYERS });
    return standings.length === PLAYERS && standings.every(({ points }) => points > 0);
  });
});

test.each(["gateway-1", "gateway-2", "quiz-1"])("%s stops without waiting for it", async (name) => {
  const startedAt = performance.now();
  await stage.stack.process(name).stop();
  expect(performance.now() - startedAt).toBeLessThan(STOP_WITHIN_MS);
});
