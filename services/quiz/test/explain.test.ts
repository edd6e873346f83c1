/** How PostgreSQL goes about each statement of this service with a million sessions, players and scores behind it. */
import { fileURLToPath } from "node:url";
import { migrate } from "@fanfare/common/postgres";
import { startPostgres } from "@fanfare/common/servers/postgres";
import type { Server } from "@fanfare/common/servers/server";
import { storedSubject } from "@fanfare/proto/addresses";
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
import { type OpenSession, OpenSessions } from "../src/adapters/open-sessions.js";
import { PostgresHistory } from "../src/adapters/postgres-history.js";
import { PostgresHistoryReader } from "../src/adapters/postgres-history-reader.js";
import { PurgeQueue } from "../src/adapters/purge-queue.js";
import { HistoryMetrics } from "../src/history-metrics.js";
import { answers, created, ended, joined, outside, players, roundClosed } from "./raw-log.js";

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const BIG = ["users", "sessions", "sessions_to_award", "players", "rounds", "quiz_history"];
const GENERATION = "a log";

let server: Server;
let sql: Sql;
let sent: Sent[];

beforeAll(async () => {
  server = await startPostgres({ fsync: false });
  ({ sql, sent } = recordingSql(server.url));
  await migrate(sql, "quiz", folder("../migrations"));
  const tables = ["final_standings", "rounds", "players", "quiz_history", "sessions", "users"];
  await fill(
    sql,
    tables.map((table) => `quiz.${table}`),
    `
    INSERT INTO quiz.users SELECT 'u' || lpad(i::text, 7, '0'), '', now() FROM generate_series(1, 100000) i;
    INSERT INTO quiz.sessions
    SELECT 's' || lpad(i::text, 7, '0'), i, true, 'A quiz', 5, 'host', '{}', now(), CASE WHEN i % 1000 <> 0 THEN now() END, i,
      now() - interval '1 day' + i * interval '10 ms', CASE WHEN i % 100 <> 0 THEN now() END
    FROM generate_series(1, 1000000) i;
    INSERT INTO quiz.players
    SELECT 's' || lpad(s::text, 7, '0'), s, 'p' || lpad(p::text, 7, '0'), 'nick', 'nick', 'u', 1, now()
    FROM generate_series(1, 500) s, generate_series(1, 2000) p;
    INSERT INTO quiz.quiz_history
    SELECT 's' || lpad(s::text, 7, '0'), s, r, 'p' || lpad(p::text, 7, '0'), 9, true, '{A}', 9, '', 9, now()
    FROM generate_series(1, 100) s, generate_series(1, 5) r, generate_series(1, 2000) p`,
  );
  await sql`ANALYZE`;
}, 240_000);

afterAll(async () => {
  await sql?.end();
  await server?.[Symbol.asyncDispose]();
});

/** A short session with everything in it, as a reader of the log gives it. */
function entries() {
  const player = joined("ann", "Ann");
  const removed = { change: { case: "removed" as const, value: { playerId: "ann", status: 3 } } };
  const score = { playerId: "ann", submissionId: "s1", choices: ["A"], points: 900, correct: true };
  const published = [
    created("new", { title: "New" }),
    players("new", { changes: [player, removed] }),
    answers("new", { answers: [score] }, 1),
    roundClosed("new", { answers: 1, points: 900n }, 1),
    ended("new"),
    outside("new", "ann", 20),
    players("new", { changes: [removed] }),
    outside("s0000005", "ann", 20),
  ];
  return published.map(([subject, payload], i) => ({
    subject: storedSubject(subject),
    sequence: i + 1,
    storedAtMs: Date.now(),
    data: Buffer.from(payload),
  }));
}

test("no statement reads, or sorts, what it is not about, and every one has its case", async () => {
  const metrics = new HistoryMetrics(2);
  const deadLetters = { publish: async () => {} };
  const history = new PostgresHistory({
    sql,
    deadLetters,
    metrics,
    log: pino({ level: "silent" }),
  });
  const reader = new PostgresHistoryReader(sql, metrics.postgres);
  const queue = new PurgeQueue(sql, metrics.postgres);
  sent.length = 0;
  expect(await history.position(1, GENERATION)).toBe(0);
  const batch = { partition: 1, after: 0, entries: entries(), pending: 0 };
  expect(await history.apply(batch, GENERATION)).toEqual({ position: 8, passedOver: 2 });
  const [due] = await queue.due(GENERATION, 0);
  if (!due) throw new Error("nothing is due");
  await queue.notePurged(due);
  await reader.findSession("s0000003", { place: "3", logStart: 3n, host: "host" });
  const listed = { sessionId: "s0000003", host: "host", before: "999999", count: 10 };
  await reader.listSessions(listed);
  const { sessionId: _, ...ofHost } = listed;
  expect(await reader.listSessions(ofHost)).toHaveLength(10);
  expect(await reader.listSessions({ count: 10 })).toHaveLength(10);
  const open = new OpenSessions(sql, metrics.postgres);
  let waiting: OpenSession[] = [];
  for await (const page of open.since(GENERATION, 0)) waiting = waiting.concat(page);
  const [oldest] = waiting;
  expect(waiting).toHaveLength(1_000);
  if (oldest) await open.noteOvertaken(oldest);
  const newest = await reader.findSession("s0000003");
  let exported = 0;
  for await (const page of reader.rows("s0000003", newest?.place ?? "")) exported += page.length;
  expect(exported).toBe(10_000);
  expect(notSent(statementsOf(folder("../src")), sent)).toEqual([]);
  // Of an export's pages the first and the last are enough.
  const different = new Map([...sent, ...sent.slice(0, 30)].map((each) => [each.text, each]));
  for (const statement of different.values())
    expect([statement.text, await faultsOf(sql, statement, BIG)]).toEqual([statement.text, []]);
}, 120_000);
