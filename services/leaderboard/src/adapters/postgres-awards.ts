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
/** The queue is most often empty, and a ban behind the end takes points back within a second. */
const AWARD_EVERY_MS = 500;
const RETRY = { firstMs: 1_000, maxMs: 10_000 };

export class PostgresAwards implements GlobalTally {
  constructor(
    private readonly sql: Sql,
    /** Points by place. */
    private readonly points: readonly number[],
    private readonly times: OperationTimes,
  ) {}

  /** Awards some of what has ended since; returns how many sessions. Safe to repeat, and in several pods. */
  async award(): Promise<number> {
    return fromPostgres(0, async () => {
      const award = () => this.sql.unsafe<{ sessions: number }[]>(AWARD, [[...this.points]]);
      const [row] = await this.times.time("award", award);
      return row?.sessions ?? 0;
    });
  }

  read(after: GlobalPlace | undefined, size: number) {
    const { sql } = this;
    const behind = after ? sql`AND (-points, user_key) > (${-after.points}, ${after.user})` : sql``;
    return fromPostgres({ state: "0", rows: [] as GlobalRow[] }, async () => {
      const rows = await this.times.time(
        "global board",
        () => sql<(Omit<GlobalRow, "rank"> & { state: string })[]>`
          SELECT user_key AS user, nickname, points::float8 AS points, sessions,
                 (SELECT version FROM leaderboard.tally_version) AS state
            FROM leaderboard.tally WHERE sessions > 0 ${behind}
           ORDER BY -points, user_key
           LIMIT ${size}`,
      );
      const rank = (after?.rank ?? 0) + 1;
      // A cursor is given where rows follow: where none does any more, the tally is another one.
      const state = rows[0]?.state ?? "0";
      return { state, rows: rows.map(({ state: _, ...row }, i) => ({ ...row, rank: rank + i })) };
    });
  }

  /** Brings the schema up to date and awards twice a second, until the lifecycle ends. */
  start(lifecycle: Lifecycle, metrics: LeaderboardMetrics): void {
    let isMigrated = false;
    const turn = async () => {
      if (!isMigrated) await migrate(this.sql, "leaderboard", MIGRATIONS);
      isMigrated = true;
      const sessions = await this.award();
      metrics.awardedSessions.inc(sessions);
      return sessions > 0 ? 0 : AWARD_EVERY_MS;
    };
    const done = repeat("awards", turn, { everyMs: AWARD_EVERY_MS, retry: RETRY }, lifecycle);
    lifecycle.push("awards", () => done);
  }
}
