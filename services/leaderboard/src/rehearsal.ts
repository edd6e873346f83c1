/**
 * A leaderboard's rehearsal: a crowd's answers are read and applied, everybody is ranked and told over gRPC on
 * loopback. Redis is played by this process.
 */
import { createClient } from "@fanfare/common/grpc-client";
import type { ServedService } from "@fanfare/common/grpc-server";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import type { LogEntry } from "@fanfare/common/partition-reader";
import { partOf, rehearse, serveOnStage } from "@fanfare/common/rehearsal";
import { partitionOf, storedSubject, subjectForAnswers } from "@fanfare/proto/addresses";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { RankCache } from "./adapters/rank-cache.js";
import { RedisBoards } from "./adapters/redis-boards.js";
import type { RedisCommands } from "./adapters/redis-connection.js";
import { RedisStandings } from "./adapters/redis-standings.js";
import { RoundWatch } from "./adapters/round-watch.js";
import type { Config } from "./config.js";
import { pack } from "./domain/score-key.js";
import { getStandings } from "./handlers/get-standings.js";
import { LeaderboardMetrics } from "./metrics.js";

const PLAYERS = 10_000;
const PLAYERS_PER_CALL = 5_000;
const ROUNDS = 2;
/** Entries of one batch, and answers of an entry. */
const ENTRIES = 20;
const ANSWERS = 100;
const SESSION = "rehearsal";

/** Never rejects. */
export function rehearseLeaderboard(
  config: Config,
  metrics: LeaderboardMetrics,
  lifecycle: Lifecycle,
): Promise<void> {
  return rehearse({ limitMs: config.WARM_UP_MS, metrics, open: playAll }, lifecycle);
}

async function playAll(stage: Lifecycle) {
  const metrics = new LeaderboardMetrics({ isRehearsed: true });
  const redis = playedRedis();
  const live = new RedisBoards(redis.commands);
  const ended = {
    ended: async () => undefined,
    ranks: () => Promise.reject(new Error("not asked")),
  };
  const served: ServedService<typeof LeaderboardService> = partOf(LeaderboardService, {
    getStandings: getStandings(new RankCache(live, ended, metrics), new RoundWatch(live)),
  });
  const { address, token } = await serveOnStage([served], metrics, stage);
  const client = createClient(LeaderboardService, address, token, { metrics });
  stage.push("client", () => client.close());
  const standings = new RedisStandings({
    redis: redis.commands,
    deadLetters: { publish: async () => {} },
    forgetSnapshot: async () => {},
    ended: { among: async () => new Set<string>() },
    metrics,
    log: stage.log,
    boardTtlS: 1,
    observer: { changed() {}, takenOver() {}, idle() {}, roundsClosed() {} },
  });
  return playRounds(redis, standings, client);
}

async function* playRounds(
  redis: ReturnType<typeof playedRedis>,
  standings: RedisStandings,
  client: ReturnType<typeof createClient<typeof LeaderboardService>>,
) {
  const players = Array.from({ length: PLAYERS }, (_, i) => `player-${i}`);
  for (let round = 1; round <= ROUNDS; round++) {
    for (let from = 0; from < PLAYERS; from += ENTRIES * ANSWERS) {
      const entries = entriesOf(players.slice(from, from + ENTRIES * ANSWERS), round);
      const batch = { partition: partitionOf(SESSION), after: 0, entries, pending: 1 };
      redis.place = entries.length;
      yield standings.apply(batch, "rehearsal");
    }
    redis.round = round;
    for (let from = 0; from < PLAYERS; from += PLAYERS_PER_CALL) {
      const playerIds = players.slice(from, from + PLAYERS_PER_CALL);
      yield client.getStandings({ sessionId: SESSION, playerIds, round });
    }
  }
}

function entriesOf(players: readonly string[], round: number): LogEntry[] {
  const subject = storedSubject(subjectForAnswers(SESSION, round, 0));
  return Array.from({ length: Math.ceil(players.length / ANSWERS) }, (_, n) => {
    const answers = players.slice(n * ANSWERS, (n + 1) * ANSWERS).map((playerId, i) => ({
      ...{ playerId, submissionId: `${round}-${i}`, points: 500 + i, correct: true },
      ...{ choices: ["A"], elapsedMs: 1_000 + i, streak: round },
    }));
    const data = Buffer.from(JSON.stringify({ batchId: `${round}-${n}`, answers }));
    return { subject, sequence: n + 1, storedAtMs: Date.now(), data };
  });
}

/** What Redis replies of a board that has no end of players, all with points. */
function playedRedis() {
  const redis = { place: 0, round: 0, commands: undefined as unknown as RedisCommands };
  redis.commands = {
    call: async () => [redis.place, 0, ANSWERS, 0, 0, [], ""],
    hmget: async () => ["1", String(redis.round), String(redis.round), "0"],
    smembers: async () => [],
    zrange: async (_, from, to) => {
      const rows: string[] = [];
      for (let i = from; i <= Math.min(Number(to), PLAYERS - 1); i++)
        rows.push(`player-${i}`, String(pack({ points: PLAYERS - i, elapsedMs: 1_000 })));
      return rows;
    },
  };
  return redis;
}
