/** Builds quiz-master from its settings: the one place where parts are made and put together. */
import { fileURLToPath } from "node:url";
import { startAdminServer } from "@fanfare/common/admin-server";
import { startGrpcServer } from "@fanfare/common/grpc-server";
import { Health } from "@fanfare/common/health";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import { MutualTls } from "@fanfare/common/mutual-tls";
import { Tokens } from "@fanfare/common/tokens";
import { PostgresLink } from "./adapters/postgres-link.js";
import { PostgresQuizBank } from "./adapters/postgres-quiz-bank.js";
import type { Config } from "./config.js";
import { QuizMasterMetrics } from "./metrics.js";
import { quizMasterService } from "./service.js";

const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));

/**
 * Starts to serve and returns the bound ports. While PostgreSQL is away it serves too: not ready,
 * and every call is refused as UNAVAILABLE.
 */
export async function startServer(
  config: Config,
  lifecycle: Lifecycle,
): Promise<{ grpcPort: number; adminPort: number }> {
  const metrics = new QuizMasterMetrics();
  const health = new Health();
  const host = config.listenHost;
  const adminPort = await startAdminServer(
    { port: config.adminPort, host, health, metrics },
    lifecycle,
  );
  const link = await PostgresLink.open(
    {
      ...config.postgres,
      name: `quiz-master ${config.podName}`,
      schema: "quiz_master",
      migrations: MIGRATIONS,
      times: metrics.postgres,
    },
    lifecycle,
  );
  health.require("PostgreSQL", () => link.ready());
  const grpcPort = await startGrpcServer(
    [quizMasterService(new PostgresQuizBank(link), metrics)],
    {
      host,
      port: config.grpcPort,
      tokens: new Tokens(config.tokenSecrets),
      health,
      drainMs: config.drainMs,
      tls: MutualTls.watch(config.tls, lifecycle, metrics),
      metrics,
    },
    lifecycle,
  );
  health.started();
  lifecycle.log.info({ grpcPort, adminPort, ready: link.ready() }, "quiz-master serves");
  return { grpcPort, adminPort };
}
