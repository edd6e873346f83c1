/** Settings of the quiz service and of its history writer. */
import {
  common,
  port,
  postgresSettings,
  readEnv,
  warmUpSettings,
  whole,
  z,
} from "@fanfare/common/config";
import { guessLimits } from "@fanfare/common/guess-budget";

export type QuizConfig = ReturnType<typeof readQuizConfig>;

export function readQuizConfig(env: Readonly<Record<string, string | undefined>>) {
  return readEnv(env, {
    ...common,
    ...warmUpSettings,
    GRPC_PORT: port(9001),
    ADMIN_PORT: port(9101),
    ...guessLimits,
    QUIZ_MASTER_URL: z.string().default("127.0.0.1:9003"),
    ...postgresSettings,
    /** How long a host token made at CreateSession is good for. */
    HOST_TOKEN_SECONDS: whole(86_400, 60, 31_536_000),
    /**
     * A session that waits for its host, in the lobby, after a reveal or paused, is ended after so long. One
     * whose start is scheduled waits for that.
     */
    SESSION_IDLE_S: whole(86_400, 1, 31_536_000),
    /** Questions and right answers of sessions that are kept in memory, in bytes as stored; others are read again. */
    FROZEN_CACHE_BYTES_MAX: whole(67_108_864, 1_048_576, Number.MAX_SAFE_INTEGER),
    /**
     * How late after the time limit an answer may still arrive. It stands in the record of each session
     * that is made, for all pods and gateways: a change holds for the sessions made after it.
     */
    ANSWER_GRACE_MS: whole(500, 0, 5_000),
    /** Lanes of rounds that are over which are read again, for answers that ask late; as many at once. */
    PAST_LANES_PER_SECOND_MAX: whole(20, 1, 10_000),
    /** Answers of such lanes that are kept, some 300 bytes each. */
    PAST_ANSWERS_MAX: whole(100_000, 1_000, 10_000_000),
  });
}

export type HistoryConfig = ReturnType<typeof readHistoryConfig>;

export function readHistoryConfig(env: Readonly<Record<string, string | undefined>>) {
  const { ADMIN_PORT: _, GRPC_PORT: __, ...shared } = common;
  return readEnv(env, {
    ...shared,
    ADMIN_PORT: port(9104),
    ...postgresSettings,
    /**
     * An ended session's log is purged this long after PostgreSQL has its final standings: later than
     * the leaderboard forgets its board (BOARD_TTL_S), so that Redis can always be rebuilt.
     */
    PURGE_AFTER_S: whole(90_000, 0, 31_536_000),
    /**
     * A session without a record, that only outsiders score in or whose creation was broken off, ends after
     * so long without an entry; the next score begins another one.
     */
    SILENT_SESSION_S: whole(86_400, 1, 31_536_000),
  });
}
