/** What is exported of a session: the newest of its id, however many digits its place has. */
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PostgresHistoryReader } from "../src/adapters/postgres-history-reader.js";
import { PurgeQueue } from "../src/adapters/purge-queue.js";
import { QuizMetrics } from "../src/metrics.js";
import { type Stores, startStores, startWriter } from "./pods.js";

let stores: Stores;
let sql: postgres.Sql;

beforeAll(async () => {
  stores = await startStores();
  await (await startWriter(stores)).stop();
  sql = postgres(stores.postgres.url, { max: 1 });
});

afterAll(async () => {
  await sql.end();
  await stores[Symbol.asyncDispose]();
});

test.each([
  [75, 133],
  [999, 1_000],
  [2 ** 42 - 1, 2 ** 42 + 7],
])("of sessions that begin at %i and %i the later one is the newest", async (first, second) => {
  const sessionId = `from_${first}`;
  for (const [place, host] of [
    [second, "later"],
    [first, "earlier"],
  ] as const)
    await sql`
      INSERT INTO quiz.sessions (session_id, log_start, created, title, rounds, host, options, created_at)
      VALUES (${sessionId}, ${place}, true, '', 1, ${host}, '{}', now())`;
  const reader = new PostgresHistoryReader(sql, new QuizMetrics().operations("postgresql"));
  expect(await reader.findSession(sessionId)).toEqual({
    place: String(second),
    logStart: BigInt(second % 2 ** 42),
    host: "later",
  });
});

test("a session whose end moves while it is purged is purged once more", async () => {
  const queue = new PurgeQueue(sql, new QuizMetrics().operations("postgresql"));
  await sql`INSERT INTO quiz.logs (generation) VALUES ('a log') ON CONFLICT DO NOTHING`;
  await sql`
    INSERT INTO quiz.sessions
      (session_id, log_start, created, title, rounds, host, options, created_at, log_end, finalized_at)
    VALUES ('moved', 100, true, '', 1, 'host', '{}', now(), 110, now() - interval '1 hour')`;
  const [first] = await queue.due("a log", 0);
  await sql`UPDATE quiz.sessions SET log_end = 120 WHERE session_id = 'moved'`;
  if (first) await queue.notePurged(first);
  const [second] = await queue.due("a log", 0);
  expect([first?.logEnd, second?.logEnd]).toEqual([110, 120]);
  if (second) await queue.notePurged(second);
  expect(await queue.due("a log", 0)).toEqual([]);
});
