/** Settings of the gateway. Every limit has its name here, its default and its bounds. */
import { fileURLToPath } from "node:url";
import { common, port, readEnv, warmUpSettings, whole, z } from "@fanfare/common/config";
import { guessLimits } from "@fanfare/common/guess-budget";

const KIB = 1024;

/** What a client may do, and how much memory it may cost. Each counts in quiz_limit_hits_total{limit}. */
const limits = {
  /** Largest client frame; what is larger is refused with TOO_LARGE, beyond 16 KiB the socket closes. */
  FRAME_BYTES_MAX: whole(4 * KIB, 256, 16 * KIB),
  /** Frames of one socket; twice as many at once. */
  FRAMES_PER_SECOND_MAX: whole(20, 1, 1_000),
  /** Answers of one socket; twice as many at once. */
  ANSWERS_PER_SECOND_MAX: whole(5, 1, 1_000),
  /** Looks at the board of one socket; twice as many at once. */
  BOARD_REQUESTS_PER_SECOND_MAX: whole(2, 1, 100),
  /** Malformed frames of one socket until it is closed. */
  BAD_FRAMES_MAX: whole(10, 1, 1_000),
  /** Joins from one address, and looks by who has no token; twice as many at once. Schools pass. */
  JOINS_PER_SECOND_PER_IP: whole(500, 1, 100_000),
  ...guessLimits,
  /** Session ids that lead nowhere, from one address prefix: /24 of IPv4, /64 of IPv6. */
  IDS_PER_MINUTE_PER_IP: whole(60, 1, 100_000),
  /** Upgrades at /livescore from one address prefix; twice as many at once. */
  LIVE_SCORES_PER_SECOND_PER_IP: whole(200, 1, 100_000),
  /** Open sockets at /livescore from one address prefix: /24 of IPv4, /64 of IPv6. */
  LIVE_SCORES_MAX_PER_IP: whole(5_000, 1, 1_000_000),
  /** Sockets of this process; a process may usually open 20,000 descriptors. */
  SOCKETS_MAX: whole(18_000, 1, 1_000_000),
  /** Time for the first frame of a socket. */
  HELLO_WITHIN_MS: whole(10_000, 100, 60_000),
  /** Bytes that wait for a slow client until it is dropped. */
  SOCKET_BUFFER_BYTES_MAX: whole(256 * KIB, 16 * KIB, 64 * KIB * KIB),
  /** Silence until a socket is given up; uWebSockets.js aborts the process beyond 960. */
  IDLE_TIMEOUT_SECONDS: whole(32, 8, 960),
  /** Sessions that are followed at once; a fifth of them may be ids without a session. */
  ROOMS_MAX: whole(5_000, 5, 100_000),
  /** Answers that wait for their verdict. */
  ANSWERS_PENDING_MAX: whole(20_000, 1, 1_000_000),
  /** Largest body at the JSON door. */
  JSON_BODY_BYTES_MAX: whole(4 * KIB * KIB, KIB, 64 * KIB * KIB),
} as const;

const times = {
  /**
   * How long answers wait for others to travel with; twice as long where a crowd answers (ADR 7).
   */
  ANSWER_BATCH_MS: whole(20, 0, 100),
  /** A room speaks at most once in this time. */
  ROOM_TICK_MS: whole(25, 5, 250),
  /** How long a room is kept after its last socket has gone. */
  ROOM_LINGER_MS: whole(5_000, 0, 600_000),
  /** Longest time over which a stop spreads the leaving of its clients. */
  DRAIN_SPREAD_MS: whole(10_000, 0, 15_000),
} as const;

const address = (fallback: string) =>
  z
    .string()
    .regex(/^[^\s:,]+:\d+(,\s*[^\s:,]+:\d+)*$/, "must be host:port, or several, comma-separated")
    .default(fallback);

const shape = {
  ...common,
  ...warmUpSettings,
  ...limits,
  ...times,
  HTTP_PORT: port(8_000),
  ADMIN_PORT: port(9_100),
  QUIZ_URL: address("127.0.0.1:9001"),
  LEADERBOARD_URL: address("127.0.0.1:9002"),
  QUIZ_MASTER_URL: address("127.0.0.1:9003"),
  /** Folder of the web pages. */
  WEB_ROOT: z.string().default(fileURLToPath(new URL("../../web/public", import.meta.url))),
  /** Origins that may connect besides the page's own host, comma-separated; `*` allows all. */
  ALLOWED_ORIGINS: z
    .string()
    .default("")
    .transform((value) =>
      value
        .split(",")
        .map((each) => each.trim())
        .filter(Boolean),
    ),
  /** How many proxies of ours stand before this port, each adding to X-Forwarded-For; 0 ignores it. */
  TRUSTED_PROXIES: whole(0, 0, 10),
} as const;

/** Reads the environment; throws one ConfigError that lists every fault. */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  return readEnv(env, shape);
}

export type Config = ReturnType<typeof readConfig>;
export type LimitName = keyof typeof limits;
export const LIMIT_NAMES = Object.keys(limits);
