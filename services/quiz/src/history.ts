/** Builds a history writer: migrations, then one ordered reader per partition of its share. */

import { fileURLToPath } from "node:url";
import { startAdminServer } from "@fanfare/common/admin-server";
import { Backoff } from "@fanfare/common/backoff";
import { busOptions, connectBus } from "@fanfare/common/bus";
import { DeadLetters } from "@fanfare/common/dead-letters";
import { Health } from "@fanfare/common/health";
import { type Lifecycle, pause } from "@fanfare/common/lifecycle";
import { repeat } from "@fanfare/common/loops";
import { readPartitions } from "@fanfare/common/partition-reader";
import {
  connectPostgres,
  MigrationError,
  migrate,
  postgresAccess,
  type Sql,
} from "@fanfare/common/postgres";
import { Presence } from "@fanfare/common/presence";
import { LogPurge } from "./adapters/log-purge.js";
import { OpenSessions } from "./adapters/open-sessions.js";
import { PinSweep } from "./adapters/pin-sweep.js";
import { PostgresHistory } from "./adapters/postgres-history.js";
import { PurgeQueue } from "./adapters/purge-queue.js";
import { SilentSessions } from "./adapters/silent-sessions.js";
import type { HistoryConfig } from "./config.js";
import { HistoryMetrics } from "./history-metrics.js";

const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));
/** One transaction at a time for each partition; a pod with all of them shares these. */
const CONNECTIONS_MAX = 6;
const PURGE_EVERY_MS = 5_000;
/** How often sessions without an entry are looked for, at most. */
const SILENT_EVERY_MAX_MS = 60_000;
const PINS_EVERY_MS = 3_600_000;
const RETRY_FIRST_MS = 200;
const RETRY_MAX_MS = 5_000;

/** Starts everything and returns the bound port. Waits for PostgreSQL as long as it takes. */
export async function startHistory(config: HistoryConfig, lifecycle: Lifecycle) {
  const metrics = new HistoryMetrics(CONNECTIONS_MAX);
  const health = new Health();
  const adminPort = await startAdminServer(
    { port: config.ADMIN_PORT, host: config.LISTEN_HOST, health, metrics },
    lifecycle,
  );
  const bus = await connectBus(busOptions(config, config.POD_NAME), lifecycle);
  health.require("NATS", bus.connected);
  health.watch(() => bus.storage.advice());
  metrics.watchStorage(() => bus.storage.fault);
  const sql = connectPostgres(
    { ...postgresAccess(config), name: config.POD_NAME, connectionsMax: CONNECTIONS_MAX },
    lifecycle,
  );
  await migrateWhenReachable(sql, lifecycle);
  const presence = await Presence.start("history", config.POD_NAME, bus, lifecycle);
  const { log } = lifecycle;
  const counter = metrics.reader.deadLetters;
  const deadLetters = new DeadLetters({ reader: "history", bus, log, counter });
  const history = new PostgresHistory({ sql, deadLetters, metrics, log });
  readPartitions(history, { bus, presence, lifecycle, metrics: metrics.reader });
  const queue = new PurgeQueue(sql, metrics.postgres);
  const purge = new LogPurge({ bus, queue, metrics, purgeAfterS: config.PURGE_AFTER_S });
  void repeat("purge", () => purge.turn(), { everyMs: PURGE_EVERY_MS }, lifecycle);
  const open = new OpenSessions(sql, metrics.postgres);
  const silent = new SilentSessions({ bus, open, metrics, silentS: config.SILENT_SESSION_S });
  const silentEveryMs = Math.min(SILENT_EVERY_MAX_MS, config.SILENT_SESSION_S * 500);
  void repeat("silent sessions", () => silent.turn(), { everyMs: silentEveryMs }, lifecycle);
  const pins = new PinSweep(bus, () => metrics.pinsLeft.inc());
  void repeat("PINs", () => pins.turn(), { everyMs: PINS_EVERY_MS }, lifecycle);
  health.started();
  lifecycle.log.info({ adminPort }, "history is ready");
  return { adminPort };
}

async function migrateWhenReachable(sql: Sql, lifecycle: Lifecycle): Promise<void> {
  const backoff = new Backoff({ firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS });
  while (!lifecycle.signal.aborted) {
    try {
      const applied = await migrate(sql, "quiz", MIGRATIONS);
      if (applied.length > 0) lifecycle.log.info({ applied }, "migrations applied");
      return;
    } catch (err) {
      if (err instanceof MigrationError) throw err;
      const waitMs = Math.round(backoff.next());
      lifecycle.log.warn({ err, waitMs }, "PostgreSQL is not ready for migrations; trying again");
      await pause(waitMs, lifecycle.signal);
    }
  }
}
