/** Settings of the leaderboard service. */
import {
  common,
  postgresSettings,
  readEnv,
  warmUpSettings,
  whole,
  z,
} from "@fanfare/common/config";
import { redisSettings } from "./redis-settings.js";

const POINTS_MAX = 1_000;
/** Places that may get points in the global leaderboard. */
const AWARDED_PLACES_MAX = 100;

const globalPoints = z
  .string()
  .default("5,4,3,2,1")
  .transform((text) => text.split(",").map((each) => Number(each.trim() || "none")))
  .refine(
    (list) =>
      list.length <= AWARDED_PLACES_MAX &&
      list.every((points) => Number.isInteger(points) && points >= 0 && points <= POINTS_MAX),
    {
      message: `must be 1 to ${AWARDED_PLACES_MAX} whole numbers from 0 to ${POINTS_MAX}, comma-separated`,
    },
  );

export type Config = ReturnType<typeof readConfig>;

/** Throws one ConfigError that names every bad variable. */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  return readEnv(env, {
    ...common,
    ...warmUpSettings,
    ...redisSettings,
    ...postgresSettings,
    POSTGRES_URL: postgresSettings.POSTGRES_URL.default("postgres://127.0.0.1:5432/fanfare"),
    /** What the first of each session get in the global leaderboard, by place. */
    GLOBAL_POINTS: globalPoints,
    /** Shortest time between two snapshots of a session. */
    SNAPSHOT_EVERY_MS: whole(100, 10, 10_000),
    /** How long the board of an ended session stays in Redis; PostgreSQL serves it after that. */
    BOARD_TTL_S: whole(86_400, 1, 30 * 86_400),
  });
}
