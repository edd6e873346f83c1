/** Builds a gateway: what it listens to, whom it calls, the rooms, then the public port. */

import uWS, { type TemplatedApp } from "uWebSockets.js";
import { startAdminServer } from "@fanfare/common/admin-server";
import { anywhereWithin } from "@fanfare/common/backoff";
import { busOptions, connectBus } from "@fanfare/common/bus";
import { startBusClock } from "@fanfare/common/bus-clock";
import { toServiceError } from "@fanfare/common/errors";
import { GuessBudget } from "@fanfare/common/guess-budget";
import { Health } from "@fanfare/common/health";
import { type Lifecycle, pause } from "@fanfare/common/lifecycle";
import { grpcTlsFiles, MutualTls } from "@fanfare/common/mutual-tls";
import { OutageLog } from "@fanfare/common/outage-log";
import { KeyedRateLimit, RateLimit } from "@fanfare/common/rate-limit";
import { ServicePool } from "@fanfare/common/service-pool";
import { ServiceToken, Tokens } from "@fanfare/common/tokens";
import { traceIdOf } from "@fanfare/common/tracing";
import { LEADERBOARD_ACCESS, QUIZ_ACCESS, QUIZ_MASTER_ACCESS } from "@fanfare/proto/access";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { jetstreamManager } from "@nats-io/jetstream";
import { AnswerLanes } from "./adapters/answer-lanes.js";
import { shareHostedPins } from "./adapters/hosted-pins.js";
import { doorService, JsonDoor } from "./adapters/json-door.js";
import { LeaderboardBoards } from "./adapters/leaderboard-boards.js";
import { sayAttendance } from "./adapters/nats-attendance.js";
import { NatsRoomFeed } from "./adapters/nats-room-feed.js";
import { PinBook } from "./adapters/pin-book.js";
import { QuizAdmissions } from "./adapters/quiz-admissions.js";
import { QuizCommands } from "./adapters/quiz-commands.js";
import { StaticPages } from "./adapters/static-pages.js";
import { UwsBroadcaster } from "./adapters/uws-broadcaster.js";
import { listen } from "./adapters/uws-listener.js";
import { UwsSockets } from "./adapters/uws-sockets.js";
import type { Config } from "./config.js";
import { connectionNames } from "./domain/connection-names.js";
import { FrameEncoder } from "./domain/frame-codec.js";
import { KnownPins } from "./domain/known-pins.js";
import type { Clock, RoomFeed } from "./domain/ports.js";
import { RoomRegistry } from "./domain/room-registry.js";
import type { Identities } from "./domain/service-ports.js";
import { PinFinder } from "./handlers/find-session.js";
import type { Gateway, Rates } from "./handlers/gateway.js";
import { greet, sayReconnect } from "./handlers/greet.js";
import { OwedResults } from "./handlers/owed-results.js";
import { receiveFrame } from "./handlers/receive-frame.js";
import { NameTeller } from "./handlers/tell-names.js";
import { tellResults } from "./handlers/tell-results.js";
import { UndecidedAnswers } from "./handlers/undecided-answers.js";
import { watchLiveScore } from "./handlers/watch-live-score.js";
import { WideRowsReader } from "./handlers/wide-rows.js";
import { GatewayMetrics } from "./metrics.js";
import { rehearseGateway } from "./rehearsal/rehearse-gateway.js";

const RESUME_TOKEN_SECONDS = 30 * 24 * 60 * 60;
/**
 * A gateway that is installed together with the others is ready once it knows them, so that nobody who
 * comes in is refused. After this time it is ready without: boards and pages are better than nothing.
 */
const SERVICES_WITHIN_MS = 20_000;
/** A room whose record can't be read in this time refuses its clients for now. */
const READ_WITHIN_MS = 2_000;
/** After a reconnect each gateway begins to read its rooms within this time. */
const READ_ALL_SPREAD_MS = 250;

/** Starts everything and returns the bound ports. */
export async function startServer(config: Config, lifecycle: Lifecycle) {
  const metrics = new GatewayMetrics();
  const health = new Health();
  const admin = { port: config.ADMIN_PORT, host: config.LISTEN_HOST, health, metrics };
  const adminPort = await startAdminServer(admin, lifecycle);
  const pages = await StaticPages.load(config.WEB_ROOT);
  const bus = await connectBus(busOptions(config, config.POD_NAME), lifecycle);
  health.require("NATS", bus.connected);
  health.watch(() => bus.storage.advice());
  metrics.watchStorage(() => bus.storage.fault);
  const clock = await startBusClock(bus.jsm, lifecycle, metrics);
  const services = await connectServices(config, metrics, lifecycle);
  await rehearseGateway(config, metrics, serveRehearsal, lifecycle);
  const app = uWS.App();
  const reader = await jetstreamManager(bus.nc, { timeout: READ_WITHIN_MS, checkAPI: false });
  const older = new LeaderboardBoards(services.leaderboard);
  const olderBoard = (sessionId: string) => older.snapshot(sessionId);
  const feed = new NatsRoomFeed(bus.nc, reader, lifecycle.log, olderBoard);
  const parts = { config, metrics, feed, clock, services, app, lifecycle };
  const { gateway, sockets } = serveSockets(parts);
  // All gateways have lost the same server, and found it again at the same moment.
  const readAll = () =>
    pause(anywhereWithin(READ_ALL_SPREAD_MS)).then(() => gateway.rooms.readAll());
  bus.onReconnect(() => void readAll());
  shareHostedPins(bus, gateway.knownPins);
  sayAttendance(bus, config.POD_NAME, gateway.rooms, lifecycle);
  const { quiz, leaderboard, quizMaster } = services;
  const door = [
    doorService(QuizService, quiz, QUIZ_ACCESS),
    doorService(LeaderboardService, leaderboard, LEADERBOARD_ACCESS),
    doorService(QuizMasterService, quizMaster, QUIZ_MASTER_ACCESS),
  ];
  new JsonDoor(door, gateway).serve(app);
  pages.serve(app);
  const httpPort = await listen(app, { config, health, sockets }, lifecycle);
  // What players need; the bank may come later.
  await Promise.all(
    [quiz, leaderboard].map((pool) => pool.isConnectedWithin(SERVICES_WITHIN_MS, lifecycle.signal)),
  );
  health.started();
  lifecycle.log.info({ httpPort, adminPort }, "gateway is ready");
  return { httpPort, adminPort };
}

async function connectServices(config: Config, metrics: GatewayMetrics, lifecycle: Lifecycle) {
  const service = new ServiceToken(new Tokens(config.TOKEN_SECRET), config.POD_NAME);
  const tls = MutualTls.watch(grpcTlsFiles(config), lifecycle, metrics);
  const options = { token: () => service.get(), tls, metrics };
  const [quiz, leaderboard, quizMaster] = await Promise.all([
    ServicePool.connect(QuizService, config.QUIZ_URL, options, lifecycle),
    ServicePool.connect(LeaderboardService, config.LEADERBOARD_URL, options, lifecycle),
    ServicePool.connect(QuizMasterService, config.QUIZ_MASTER_URL, options, lifecycle),
  ]);
  return { quiz, leaderboard, quizMaster };
}

/** What players are served with. */
export interface ServeParts {
  config: Config;
  metrics: GatewayMetrics;
  feed: RoomFeed;
  clock: Clock;
  services: Pick<Awaited<ReturnType<typeof connectServices>>, "quiz" | "leaderboard">;
  app: TemplatedApp;
  lifecycle: Lifecycle;
}

/** Sockets on the app, and the gateway behind them. */
function serveSockets(parts: ServeParts) {
  const { config, metrics, app } = parts;
  const { gateway, wideRows } = buildGateway(parts);
  const sockets = new UwsSockets(config, metrics, {
    onOpen: (client) => greet(gateway, client),
    onLiveScore: (client) => void watchLiveScore(gateway, wideRows, client),
    onFrame: (client, content, isBinary) => receiveFrame(gateway, client, content, isBinary),
    onLeaving: (client, delayMs) => sayReconnect(gateway, client, delayMs),
    onFault: (error) => gateway.onFault(error, "a frame was not handled; its socket is closed"),
  });
  metrics.gauges.watch({ sockets: () => sockets.count(), rooms: () => gateway.rooms.count() });
  sockets.serve(app);
  return { gateway, sockets };
}

/** The same on an app, a port and a health of their own. */
export async function serveRehearsal(
  parts: Omit<ServeParts, "app">,
  stage: Lifecycle,
): Promise<number> {
  const app = uWS.App();
  const { sockets } = serveSockets({ ...parts, app });
  return await listen(app, { config: parts.config, health: new Health(), sockets }, stage);
}

/** Ties rooms, duties and calls together: a room's duties need the gateway that holds the room. */
function buildGateway(parts: ServeParts) {
  const { config, metrics, feed, clock, services, lifecycle } = parts;
  const { quiz, leaderboard } = services;
  const outages = new OutageLog(lifecycle);
  const onFault = (err: unknown, what: string) => {
    // Each fault of ours is told; that a part is away, once.
    const { reason, retryable } = toServiceError(err);
    if (retryable && reason !== ErrorReason.INTERNAL) outages.onFault(err, what);
    else lifecycle.log.warn({ err }, what);
  };
  const encoder = new FrameEncoder((type) => metrics.framesEncoded.add(type));
  const boards = new LeaderboardBoards(leaderboard);
  const names = new NameTeller(() => gateway);
  const wideRows = new WideRowsReader(() => gateway);
  const rooms = new RoomRegistry(
    feed,
    {
      out: new UwsBroadcaster(parts.app, metrics),
      encoder,
      clock,
      tickMs: config.ROOM_TICK_MS,
      duties: {
        resultsDue: (room, round) => void tellResults(gateway, room, round),
        namesDue: (room) => names.due(room),
        boardShown: (sinceMs, span) =>
          metrics.freshness.observe(Math.max(0, clock.now() - sinceMs) / 1_000, traceIdOf(span)),
        seatHeld: (room, client) =>
          feed.announce(room.sessionId, client.playerId, client.connection),
        wideRowsDue: (room) => wideRows.due(room),
      },
    },
    {
      roomsMax: config.ROOMS_MAX,
      lingerMs: config.ROOM_LINGER_MS,
      onReadFailed: (error) => onFault(error, "a room was not read; it is tried again"),
    },
  );
  lifecycle.push("rooms", () => rooms.close());
  const gateway: Gateway = {
    config,
    rooms,
    feed,
    encoder,
    clock,
    identities: identities(config),
    pins: new PinBook(quiz),
    finder: new PinFinder(() => gateway),
    guesses: new GuessBudget(config),
    knownPins: new KnownPins(),
    admissions: new QuizAdmissions(quiz, boards),
    answers: new AnswerLanes(quiz, {
      batchMs: config.ANSWER_BATCH_MS,
      onBatch: (answers) => metrics.answerBatch.observe(answers),
      onFailed: (error) => outages.onFault(error, "answers got no verdict; players send again"),
    }),
    commands: new QuizCommands(quiz),
    boards,
    rates: rates(config),
    undecided: new UndecidedAnswers(() => gateway),
    owed: new OwedResults(() => gateway),
    metrics,
    nextConnection: connectionNames(clock, config.POD_NAME),
    onFault,
  };
  return { gateway, wideRows };
}

function identities(config: Config): Identities {
  const tokens = new Tokens(config.TOKEN_SECRET);
  return {
    verify: (token) => tokens.verify(token),
    issuePlayer: (playerId, { sessionId, logStart }) =>
      tokens.issue(
        { role: "player", subject: playerId, sessionId, sessionStart: logStart },
        RESUME_TOKEN_SECONDS,
      ),
  };
}

function rates(config: Config): Rates {
  const perSecond = (count: number) => new RateLimit(count, 1_000, count * 2);
  const wrongIds = config.IDS_PER_MINUTE_PER_IP;
  return {
    frames: perSecond(config.FRAMES_PER_SECOND_MAX),
    answers: perSecond(config.ANSWERS_PER_SECOND_MAX),
    boards: perSecond(config.BOARD_REQUESTS_PER_SECOND_MAX),
    joins: new KeyedRateLimit(perSecond(config.JOINS_PER_SECOND_PER_IP)),
    wrongIds: new KeyedRateLimit(new RateLimit(wrongIds, 60_000, wrongIds)),
  };
}
