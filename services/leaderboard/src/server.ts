/** Builds the leaderboard service from its parts, in order, and says where it listens. */
import type { DescService } from "@bufbuild/protobuf";
import { startAdminServer } from "@fanfare/common/admin-server";
import { type Bus, busOptions, connectBus } from "@fanfare/common/bus";
import { startBusClock } from "@fanfare/common/bus-clock";
import { DeadLetters } from "@fanfare/common/dead-letters";
import { type ServedService, startGrpcServer } from "@fanfare/common/grpc-server";
import { Health } from "@fanfare/common/health";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import { repeat } from "@fanfare/common/loops";
import { grpcTlsFiles, MutualTls } from "@fanfare/common/mutual-tls";
import { readPartitions } from "@fanfare/common/partition-reader";
import { connectPostgres, postgresAccess, type Sql } from "@fanfare/common/postgres";
import { Presence } from "@fanfare/common/presence";
import { Tokens } from "@fanfare/common/tokens";
import { LEADERBOARD_ACCESS } from "@fanfare/proto/access";
import { PARTITIONS } from "@fanfare/proto/addresses";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { LoggedEnds } from "./adapters/ended-sessions.js";
import { layeredBoards } from "./adapters/layered-boards.js";
import { LeaderboardStream } from "./adapters/leaderboard-stream.js";
import { PostgresAwards } from "./adapters/postgres-awards.js";
import { PostgresBoards } from "./adapters/postgres-boards.js";
import { RankCache } from "./adapters/rank-cache.js";
import { RedisBoards } from "./adapters/redis-boards.js";
import { connectRedis, fromRedis, type RedisCommands } from "./adapters/redis-connection.js";
import { timedRedis } from "./adapters/redis-scripts.js";
import { RedisStandings } from "./adapters/redis-standings.js";
import { RoundWatch } from "./adapters/round-watch.js";
import { Snapshots } from "./adapters/snapshots.js";
import type { Config } from "./config.js";
import { PlayerCounts } from "./domain/player-counts.js";
import type { Rebuilds } from "./domain/ports.js";
import { getGlobalLeaderboard } from "./handlers/get-global-leaderboard.js";
import { getLeaderboard } from "./handlers/get-leaderboard.js";
import { getStandings } from "./handlers/get-standings.js";
import { rebuildLeaderboard } from "./handlers/rebuild-leaderboard.js";
import { LeaderboardMetrics } from "./metrics.js";
import { redisAccess } from "./redis-settings.js";
import { rehearseLeaderboard } from "./rehearsal.js";

const CONNECTIONS_MAX = 4;
/** How often sessions whose boards have expired are forgotten, at least. */
const PRUNE_EVERY_MAX_MS = 60_000;

export interface BoundPorts {
  grpcPort: number;
  adminPort: number;
}

/** Resolves once NATS is connected and both ports listen; Redis and PostgreSQL may come later. */
export async function startServer(config: Config, lifecycle: Lifecycle): Promise<BoundPorts> {
  const metrics = new LeaderboardMetrics();
  const health = new Health();
  const name = `leaderboard ${config.POD_NAME}`;
  const connection = connectRedis(redisAccess(config), config.POD_NAME, lifecycle);
  const redis = timedRedis(connection, metrics.redis);
  const sql = connectPostgres(
    { ...postgresAccess(config), name, connectionsMax: CONNECTIONS_MAX },
    lifecycle,
  );
  const bus = await connectBus(busOptions(config, name), lifecycle);
  health.require("nats", bus.connected);
  health.watch(() => bus.storage.advice());
  metrics.watchStorage(() => bus.storage.fault);

  await rehearseLeaderboard(config, metrics, lifecycle);
  const live = new RedisBoards(redis);
  const final = new PostgresBoards(sql, metrics.postgres);
  const watch = new RoundWatch(live);
  const rebuilds = await startProjection(
    config,
    { bus, redis, sql, live, watch, metrics },
    lifecycle,
  );
  const awards = new PostgresAwards(sql, config.GLOBAL_POINTS, metrics.postgres);
  awards.start(lifecycle, metrics);

  const leaderboardService: ServedService<typeof LeaderboardService> = {
    service: LeaderboardService,
    handlers: {
      getLeaderboard: getLeaderboard(layeredBoards(live, final)),
      getStandings: getStandings(new RankCache(live, final, metrics), watch),
      getGlobalLeaderboard: getGlobalLeaderboard(awards),
      rebuildLeaderboard: rebuildLeaderboard(rebuilds),
    },
    access: LEADERBOARD_ACCESS,
  };
  const adminPort = await startAdminServer(
    { port: config.ADMIN_PORT, host: config.LISTEN_HOST, health, metrics },
    lifecycle,
  );
  const grpcPort = await startGrpcServer(
    // The list's element type can't be inferred from a service with several methods.
    [leaderboardService as unknown as ServedService<DescService>],
    {
      host: config.LISTEN_HOST,
      port: config.GRPC_PORT,
      tokens: new Tokens(config.TOKEN_SECRET),
      health,
      drainMs: config.DRAIN_MS,
      tls: MutualTls.watch(grpcTlsFiles(config), lifecycle, metrics),
      metrics,
    },
    lifecycle,
  );
  health.started();
  lifecycle.log.info({ grpcPort, adminPort }, "leaderboard is ready");
  return { grpcPort, adminPort };
}

/** The log becomes boards, and boards become snapshots. */
async function startProjection(
  config: Config,
  parts: {
    bus: Bus;
    redis: RedisCommands;
    sql: Sql;
    live: RedisBoards;
    watch: RoundWatch;
    metrics: LeaderboardMetrics;
  },
  lifecycle: Lifecycle,
): Promise<Rebuilds> {
  const { bus, redis, sql, live, watch, metrics } = parts;
  const { log } = lifecycle;
  const clock = await startBusClock(bus.jsm, lifecycle, metrics);
  const players = new PlayerCounts();
  const stream = new LeaderboardStream(bus, clock);
  const snapshots = new Snapshots({
    players,
    boards: live,
    stream,
    clock,
    metrics,
    lifecycle,
    everyMs: config.SNAPSHOT_EVERY_MS,
  });
  const standings = new RedisStandings({
    redis,
    deadLetters: new DeadLetters({
      reader: "leaderboard",
      bus,
      log,
      counter: metrics.reader.deadLetters,
    }),
    forgetSnapshot: (sessionId) => stream.forget(sessionId),
    ended: new LoggedEnds({ bus, sql, times: metrics.postgres, log }),
    metrics,
    log,
    boardTtlS: config.BOARD_TTL_S,
    observer: {
      changed: (partition, since, progress) => snapshots.changed(partition, since, progress),
      takenOver: (partition) => snapshots.takenOver(partition),
      idle: (partition) => snapshots.idle(partition),
      roundsClosed: (sessionIds) => watch.closed(sessionIds),
    },
  });
  const presence = await Presence.start("leaderboard", config.POD_NAME, bus, lifecycle);
  metrics.watchPlayers(() =>
    players.total((partition) => presence.isMine(`${standings.name} ${partition}`)),
  );
  const reading = { bus, presence, lifecycle, metrics: metrics.reader };
  const readers = readPartitions(standings, reading);
  const prune = async () => {
    for (let partition = 0; partition < PARTITIONS; partition++)
      if (presence.isMine(`${standings.name} ${partition}`)) await live.prune(partition);
  };
  const everyMs = Math.min(PRUNE_EVERY_MAX_MS, config.BOARD_TTL_S * 1_000);
  void repeat("expired boards", prune, { everyMs }, lifecycle);
  return {
    rebuild: async (partition) => {
      await fromRedis(() => standings.rebuild(partition));
      readers.restart(partition);
    },
  };
}
