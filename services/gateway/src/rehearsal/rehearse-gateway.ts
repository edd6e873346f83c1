/**
 * A gateway's rehearsal: short quizzes of a small crowd on a gateway of its own in the same process, from the
 * sockets to the clients of quiz and leaderboard. Joins are most of it, as a crowd comes to a new gateway
 * all at once.
 */
import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import { rehearse } from "@fanfare/common/rehearsal";
import { LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
import { Phase, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import { NatsRoomFeed } from "../adapters/nats-room-feed.js";
import type { Config } from "../config.js";
import { GatewayMetrics } from "../metrics.js";
import type { ServeParts } from "../server.js";
import { connectMadeUpServices } from "./made-up-services.js";
import { MemoryBus } from "./memory-bus.js";
import { RehearsedPlayer } from "./rehearsed-player.js";

const PLAYERS = 100;
/** Of each stage: with 1,000 joins on each of two, those that follow cost what they will always cost. */
const QUIZZES = 10;
/** Of the players, the part that comes back. */
const RESUMING = 0.2;
const ROUND_MS = 20_000;

/** Serves players on a free port of the loopback until the stage closes. */
export type Serve = (parts: Omit<ServeParts, "app">, stage: Lifecycle) => Promise<number>;

/** Never rejects. */
export async function rehearseGateway(
  config: Config,
  metrics: GatewayMetrics,
  serve: Serve,
  lifecycle: Lifecycle,
): Promise<void> {
  const open = (stage: Lifecycle) => openStage(config, serve, stage);
  await rehearse({ limitMs: config.WARM_UP_MS, metrics, open }, lifecycle);
}

async function openStage(config: Config, serve: Serve, stage: Lifecycle) {
  const secret = randomBytes(32).toString("hex");
  const metrics = new GatewayMetrics({ isRehearsed: true });
  const bus = new MemoryBus();
  const parts = {
    config: {
      ...config,
      TOKEN_SECRET: [secret],
      HTTP_PORT: 0,
      LISTEN_HOST: "127.0.0.1",
      DRAIN_MS: 0,
      DRAIN_SPREAD_MS: 0,
      JOINS_PER_SECOND_PER_IP: Number.MAX_SAFE_INTEGER,
    },
    metrics,
    feed: new NatsRoomFeed(bus.nc, bus.jsm, stage.log, async () => undefined),
    clock: { now: () => Date.now() },
    services: await connectMadeUpServices(metrics, stage),
    lifecycle: stage,
  };
  const url = new URL(`http://127.0.0.1:${await serve(parts, stage)}/v1/socket`);
  return playAll(bus, url);
}

async function* playAll(bus: MemoryBus, url: URL) {
  for (let quiz = 1; quiz <= QUIZZES; quiz++) yield* playQuiz(bus, url, `rehearsal-${quiz}`);
}

/** Stops between its parts, where the time may be over. */
async function* playQuiz(bus: MemoryBus, url: URL, sessionId: string) {
  const put = sessionWriter(bus, sessionId);
  put(Phase.LOBBY, 0);
  const players = Array.from(
    { length: PLAYERS },
    (_, i) => new RehearsedPlayer(url, sessionId, `player-${i}`),
  );
  const everybody = (act: (player: RehearsedPlayer) => Promise<void>) =>
    Promise.all(players.map(act));
  yield everybody((player) => player.enter());
  const shown = everybody((player) => player.hears('"question"'));
  put(Phase.OPEN, 1);
  yield shown;
  yield everybody((player) => player.answer(1));
  const told = everybody((player) => player.hears('"ownResult"'));
  put(Phase.REVEAL, 1);
  yield told;
  yield Promise.all(
    players.slice(0, PLAYERS * RESUMING).map((player) => {
      player.leave();
      return player.enter();
    }),
  );
  for (const player of players) player.leave();
}

/** Writes record and board as the services do. */
function sessionWriter(bus: MemoryBus, sessionId: string) {
  let version = 0n;
  return (phase: Phase, round: number) => {
    const startedAt = timestampFromMs(Date.now());
    bus.putSession(
      create(SessionSchema, {
        ...{
          sessionId,
          phase,
          round,
          rounds: 1,
          pin: "123456",
          title: "Rehearsal",
          host: "nobody",
        },
        logStart: 1n,
        options: { lanes: 1, boardSize: 10 },
        phaseStartedAt: startedAt,
        timeLimitMs: ROUND_MS,
        ...(phase === Phase.OPEN && {
          phaseEndsAt: timestampFromMs(Date.now() + ROUND_MS),
          question: {
            text: "Is this a rehearsal?",
            options: [
              { choice: "A", text: "yes" },
              { choice: "B", text: "no" },
            ],
            points: 1_000,
          },
        }),
        ...(phase === Phase.REVEAL && { reveal: { answer: ["A"], answers: PLAYERS } }),
      }),
    );
    bus.putBoard(
      create(LeaderboardChangedSchema, {
        ...{ sessionId, epoch: 1n, version: ++version, round, players: PLAYERS, joined: PLAYERS },
        finalRound: phase === Phase.REVEAL ? round : 0,
        standings: Array.from({ length: 10 }, (_, i) => ({
          playerId: `id-player-${i}`,
          nickname: `player-${i}`,
          points: round * (1_000 - i),
          rank: i + 1,
        })),
      }),
    );
  };
}
