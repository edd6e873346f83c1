/** The global leaderboard in PostgreSQL: awards ended sessions in the background, and reads the tally. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import { repeat } from "@fanfare/common/loops";
import type { OperationTimes } from "@fanfare/common/operation-times";
import { migrate, type Sql } from "@fanfare/common/postgres";
import type { GlobalPlace, GlobalRow, GlobalTally } from "../domain/ports.js";
import type { LeaderboardMetrics } from "../metrics.js";
import { fromPostgres } from "./postgres-reads.js";

const AWARD = readFileSync(new URL("../../sql/award-sessions.sql", import.meta.url), "utf8");
const MIGRATIONS = fileURLToPath(new URL("../../migrations/", import.meta.url));
const AWARD_EVERY_MS = 2_000;
const RETRY = { firstMs: 1_000, maxMs: 10_000 };
/** Sessions that one statement awards. */
const SESSIONS_MAX = 100;

export class PostgresAwards implements GlobalTally {
  constructor(
    private readonly sql: Sql,
    /** Points by place. */
    private readonly points: readonly number[],
    private readonly times: OperationTimes,
  ) {}

  /** Awards what has ended since; returns how many sessions. Safe to repeat, and in several pods. */
  async award(): Promise<number> {
    return fromPostgres(0, async () => {
      const args = [[...this.points], SESSIONS_MAX];
      const award = () => this.sql.unsafe<{ sessions: number }[]>(AWARD, args);
      const [row] = await this.times.time("award", award);
      return row?.sessions ?? 0;
    });
  }

  read(after: GlobalPlace | undefined, size: number): Promise<GlobalRow[]> {
    const { sql } = this;
    const behind = after
      ? sql`WHERE points < ${after.points} OR points = ${after.points} AND user_key > ${after.user}`
      : sql``;
    return fromPostgres([], async () => {
      const rows = await this.times.time(
        "global board",
        () => sql<Omit<GlobalRow, "rank">[]>`
          SELECT user_key AS user, nickname, points::float8 AS points, sessions
            FROM leaderboard.tally ${behind}
           ORDER BY points DESC, user_key
           LIMIT ${size}`,
      );
      return rows.map((row, i) => ({ ...row, rank: (after?.rank ?? 0) + 1 + i }));
    });
  }

  /** Brings the schema up to date and awards every 2 s, until the lifecycle ends. */
  start(lifecycle: Lifecycle, metrics: LeaderboardMetrics): void {
    let isMigrated = false;
    const turn = async () => {
      if (!isMigrated) await migrate(this.sql, "leaderboard", MIGRATIONS);
      isMigrated = true;
      const sessions = await this.award();
      metrics.awardedSessions.inc(sessions);
      return sessions === SESSIONS_MAX ? 0 : AWARD_EVERY_MS;
    };
    const done = repeat("awards", turn, { everyMs: AWARD_EVERY_MS, retry: RETRY }, lifecycle);
    lifecycle.push("awards", () => done);
  }
}
