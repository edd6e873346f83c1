/** Builds a quiz pod: store, logs, clock, then the calls. */

import { startAdminServer } from "@fanfare/common/admin-server";
import { busOptions, connectBus } from "@fanfare/common/bus";
import { startBusClock } from "@fanfare/common/bus-clock";
import { type ServedService, startGrpcServer } from "@fanfare/common/grpc-server";
import { GuessBudget } from "@fanfare/common/guess-budget";
import { Health } from "@fanfare/common/health";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import { grpcTlsFiles, MutualTls } from "@fanfare/common/mutual-tls";
import { connectPostgres, postgresAccess } from "@fanfare/common/postgres";
import { Presence } from "@fanfare/common/presence";
import { ServicePool } from "@fanfare/common/service-pool";
import { ServiceToken, Tokens } from "@fanfare/common/tokens";
import { QUIZ_ACCESS } from "@fanfare/proto/access";
import { type ExportHistoryRequest, QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import { QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { LogOutages } from "./adapters/log-outages.js";
import { NatsSessionStore } from "./adapters/nats-session-store.js";
import { PostgresHistoryReader } from "./adapters/postgres-history-reader.js";
import { QuizMasterBank } from "./adapters/quiz-master-bank.js";
import { JetStreamSessionLogs } from "./adapters/session-logs.js";
import type { QuizConfig } from "./config.js";
import type { SessionStore } from "./domain/ports.js";
import { EarlyClose } from "./early-close.js";
import { isHostOf, type QuizContext, requireSession } from "./handlers/context.js";
import { createSession } from "./handlers/create-session.js";
import { exportHistory, isHistoryOwner, listHistory } from "./handlers/export-history.js";
import { exportQuiz } from "./handlers/export-quiz.js";
import { findAnswers } from "./handlers/find-answers.js";
import * as host from "./handlers/host-commands.js";
import * as players from "./handlers/players.js";
import * as read from "./handlers/read-session.js";
import { submitAnswers } from "./handlers/submit-answers.js";
import { QuizMetrics } from "./metrics.js";
import { rehearseQuiz } from "./rehearsal.js";
import { RoundClock } from "./round-clock.js";

const POSTGRES_CONNECTIONS_MAX = 4;

/** Starts everything and returns the bound ports. */
export async function startServer(config: QuizConfig, lifecycle: Lifecycle) {
  const metrics = new QuizMetrics();
  const health = new Health();
  const tokens = new Tokens(config.TOKEN_SECRET);
  const token = new ServiceToken(tokens, config.POD_NAME);
  const admin = { port: config.ADMIN_PORT, host: config.LISTEN_HOST, health, metrics };
  const adminPort = await startAdminServer(admin, lifecycle);
  const bus = await connectBus(busOptions(config, config.POD_NAME), lifecycle);
  health.require("NATS", bus.connected);
  health.watch(() => bus.storage.advice());
  metrics.watchStorage(() => bus.storage.fault);
  const clock = await startBusClock(bus.jsm, lifecycle, metrics);
  const store = await NatsSessionStore.open(bus, lifecycle, {
    frozenBytesMax: config.FROZEN_CACHE_BYTES_MAX,
    onEvicted: () => metrics.limitHits.inc({ limit: "FROZEN_CACHE_BYTES_MAX" }),
  });
  metrics.watchFrozen(() => store.frozenBytes);
  metrics.watchSessions(() => sessionsOf(store));
  const logs = new JetStreamSessionLogs(bus, metrics, {
    lanesPerSecondMax: config.PAST_LANES_PER_SECOND_MAX,
    answersMax: config.PAST_ANSWERS_MAX,
  });
  const tls = MutualTls.watch(grpcTlsFiles(config), lifecycle, metrics);
  const bank = new QuizMasterBank(
    await ServicePool.connect(
      QuizMasterService,
      config.QUIZ_MASTER_URL,
      { token: () => token.get(), tls, metrics },
      lifecycle,
    ),
  );
  const history = new PostgresHistoryReader(
    connectPostgres(
      {
        ...postgresAccess(config),
        name: config.POD_NAME,
        connectionsMax: POSTGRES_CONNECTIONS_MAX,
      },
      lifecycle,
    ),
    metrics.operations("postgresql"),
  );
  await rehearseQuiz(config, metrics, quizService, lifecycle);
  const presence = await Presence.start("quiz", config.POD_NAME, bus, lifecycle);
  const idleMs = config.SESSION_IDLE_S * 1_000;
  const { onReconnect } = bus;
  const logHealth = new LogOutages(bus, clock);
  RoundClock.start({
    store,
    logs,
    clock,
    presence,
    metrics,
    lifecycle,
    idleMs,
    onReconnect,
    health: logHealth,
  });
  EarlyClose.start({ bus, store, clock, presence, metrics, lifecycle });
  const context: QuizContext = {
    store,
    logs,
    bank,
    history,
    clock,
    tokens,
    guesses: new GuessBudget(config),
    metrics,
    hostTokenSeconds: config.HOST_TOKEN_SECONDS,
    answerGraceMs: config.ANSWER_GRACE_MS,
  };
  const grpcPort = await startGrpcServer(
    [quizService(context)],
    {
      host: config.LISTEN_HOST,
      port: config.GRPC_PORT,
      tokens,
      health,
      drainMs: config.DRAIN_MS,
      tls,
      metrics,
    },
    lifecycle,
  );
  health.started();
  lifecycle.log.info({ grpcPort, adminPort }, "quiz is ready");
  return { grpcPort, adminPort };
}

function* sessionsOf(store: SessionStore): Iterable<Session> {
  for (const { session } of store.all()) yield session;
}

export function quizService(context: QuizContext): ServedService<typeof QuizService> {
  const bound =
    <Request, Call, Result>(
      handle: (context: QuizContext, request: Request, call: Call) => Result,
    ) =>
    (request: Request, call: Call) =>
      handle(context, request, call);
  return {
    service: QuizService,
    access: QUIZ_ACCESS,
    owners: {
      owner: async (identity, request: { sessionId: string }) =>
        isHostOf(identity, (await requireSession(context, request.sessionId)).session),
      historyOwner: (identity, request: ExportHistoryRequest) =>
        isHistoryOwner(context, identity, request),
    },
    handlers: {
      createSession: bound(createSession),
      getSession: bound(read.getSession),
      listSessions: bound(read.listSessions),
      resolvePin: bound(read.resolvePin),
      watchSession: bound(read.watchSession),
      startSession: bound(host.startSession),
      nextRound: bound(host.nextRound),
      pauseSession: bound(host.pauseSession),
      continueSession: bound(host.continueSession),
      extendRound: bound(host.extendRound),
      skipRound: bound(host.skipRound),
      endSession: bound(host.endSession),
      lockSession: bound(host.lockSession),
      kickPlayer: bound(players.kickPlayer),
      banPlayer: bound(players.banPlayer),
      listPlayers: bound(players.listPlayers),
      joinSession: bound(players.joinSession),
      resumeSession: bound(players.resumeSession),
      findAnswers: bound(findAnswers),
      submitAnswers: bound(submitAnswers),
      listHistory: bound(listHistory),
      exportHistory: bound(exportHistory),
      exportQuiz: bound(exportQuiz),
    },
  };
}
