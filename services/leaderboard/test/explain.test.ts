/** How PostgreSQL goes about each statement of this service with a million sessions, rows and users behind it. */
import { fileURLToPath } from "node:url";
import { migrate } from "@fanfare/common/postgres";
import { startPostgres } from "@fanfare/common/servers/postgres";
import type { Server } from "@fanfare/common/servers/server";
import { pino } from "pino";
import type { Sql } from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  faultsOf,
  fill,
  notSent,
  recordingSql,
  type Sent,
  statementsOf,
} from "../../common/test/explained.js";
import { LoggedEnds } from "../src/adapters/ended-sessions.js";
import { PostgresAwards } from "../src/adapters/postgres-awards.js";
import { PostgresBoards } from "../src/adapters/postgres-boards.js";
import { LeaderboardMetrics } from "../src/metrics.js";

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const BIG = ["sessions", "sessions_to_award", "final_standings", "awards", "tally"];

let server: Server;
let sql: Sql;
let sent: Sent[];

beforeAll(async () => {
  server = await startPostgres({ fsync: false });
  ({ sql, sent } = recordingSql(server.url));
  await migrate(sql, "quiz", folder("../../quiz/migrations"));
  await migrate(sql, "leaderboard", folder("../migrations"));
  await fill(
    sql,
    ["quiz.final_standings", "quiz.players", "quiz.rounds", "quiz.sessions"],
    `
    INSERT INTO quiz.sessions
    SELECT 's' || lpad(i::text, 7, '0'), i, true, 'A quiz', 5, 'host', '{}', now(), now(), i, now(), now()
    FROM generate_series(1, 1000000) i;
    INSERT INTO quiz.final_standings
    SELECT 's' || lpad(s::text, 7, '0'), s, p, 'p' || lpad(p::text, 7, '0'), '', 'u' || p, 9, 9
    FROM generate_series(1, 10) s, generate_series(1, 100000) p`,
  );
  await fill(
    sql,
    ["quiz.sessions_to_award", "leaderboard.awards", "leaderboard.tally"],
    `
    INSERT INTO quiz.sessions_to_award
    SELECT 's' || lpad(i::text, 7, '0'), i, now() FROM generate_series(1, 100000) i;
    INSERT INTO leaderboard.awards
    SELECT 's' || lpad(s::text, 7, '0'), s, now(), place, 'u' || place, '', 1
    FROM generate_series(500001, 700000) s, generate_series(1, 5) place;
    INSERT INTO leaderboard.tally
    SELECT 'u' || lpad(i::text, 7, '0'), '', i % 100, 1 FROM generate_series(1, 1000000) i`,
  );
  await sql`ANALYZE`;
}, 240_000);

afterAll(async () => {
  await sql?.end();
  await server?.[Symbol.asyncDispose]();
});

test("no statement reads, or sorts, what it is not about, and every one has its case", async () => {
  const times = new LeaderboardMetrics().postgres;
  const awards = new PostgresAwards(sql, [5, 4, 3, 2, 1], times);
  const boards = new PostgresBoards(sql, times);
  sent.length = 0;
  await awards.award();
  const { rows } = await awards.read(undefined, 100);
  expect(rows).toHaveLength(100);
  const deep = { state: "1", points: 50, user: "u0500000", rank: 500_000 };
  expect((await awards.read(deep, 100)).rows[0]?.rank).toBe(500_001);
  for (const selection of [
    { kind: "top", size: 100 },
    { kind: "after", rank: 99_000, size: 100 },
    { kind: "around", scorer: "p0050000", before: 50, size: 100 },
  ] as const) {
    const board = await boards.read("s0000007", selection);
    if (typeof board === "string") throw new Error(board);
    expect(board.rows).toHaveLength(100);
    expect(board.players).toBe(100_000);
  }
  const bus = { jsm: { streams: { getMessage: async () => null } } };
  const log = pino({ level: "silent" });
  const ends = new LoggedEnds({ bus: bus as never, sql, times, log });
  expect([...(await ends.among(["s0000007", "new"], 1))]).toEqual(["s0000007"]);
  expect((await boards.ranks("s0000007", "7")).players).toBe(100_000);
  expect(notSent(statementsOf(folder("../src"), folder("../sql")), sent)).toEqual([]);
  for (const statement of [...sent])
    expect([statement.text, await faultsOf(sql, statement, BIG)]).toEqual([statement.text, []]);
}, 60_000);
