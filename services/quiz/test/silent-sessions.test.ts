/** Sessions without a record: they end when nothing comes any more, and what comes later is another session. */
import { STREAMS, storedSessionSubjects } from "@fanfare/proto/addresses";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stores, startStores, startWriter, until } from "./pods.js";
import { created, openLog, outside, type RawLog } from "./raw-log.js";

let stores: Stores;
let writer: Awaited<ReturnType<typeof startWriter>>;
let log: RawLog;
let sql: postgres.Sql;

beforeAll(async () => {
  stores = await startStores();
  log = await openLog(stores.nats.url);
  sql = postgres(stores.postgres.url, { max: 2, onnotice: () => {} });
  writer = await startWriter(stores, { SILENT_SESSION_S: "2", PURGE_AFTER_S: "0" });
});

afterAll(async () => {
  await writer.stop();
  await sql.end();
  await log.close();
  await stores[Symbol.asyncDispose]();
});

const standings = async (sessionId: string) => {
  const rows = await sql`SELECT log_start, player_id, points FROM quiz.final_standings
    WHERE session_id = ${sessionId} ORDER BY log_start, place`;
  return rows.map(({ player_id, points }) => [player_id, points]);
};

const isPurged = async (sessionId: string) => {
  const filter = storedSessionSubjects(sessionId);
  const { state } = await log.bus.jsm.streams.info(STREAMS.log, { subjects_filter: filter });
  return Object.keys(state.subjects ?? {}).length === 0;
};

test("one that only outsiders score in ends in silence, leaves the log, and stays in the history", async () => {
  await log.publish(outside("quiet", "ann", 20), outside("quiet", "bob", 30));
  await until(async () => (await standings("quiet")).length === 2, 20_000);
  expect(await standings("quiet")).toEqual([
    ["@bob", 30],
    ["@ann", 20],
  ]);
  await until(() => isPurged("quiet"), 20_000);
  // It was nobody's session: it gives no points across sessions.
  const waiting = await sql`SELECT FROM quiz.sessions_to_award WHERE session_id = 'quiet'`;
  expect(waiting).toHaveLength(0);
});

test("what comes after that is another session, with the same rounds and users", async () => {
  await log.publish(outside("again", "ann", 20));
  await until(async () => (await standings("again")).length === 1, 20_000);
  await log.publish(outside("again", "ann", 7));
  await until(async () => (await standings("again")).length === 2, 20_000);
  expect(await standings("again")).toEqual([
    ["@ann", 20],
    ["@ann", 7],
  ]);
});

test("one whose creation was broken off ends, too, and one that goes on does not", async () => {
  await log.publish(created("broken", { title: "Broken off" }));
  const talk = setInterval(() => void log.publish(outside("busy", `u${Date.now()}`, 1)), 300);
  await until(() => isPurged("broken"), 30_000);
  clearInterval(talk);
  const [busy] = await sql`SELECT ended_at FROM quiz.sessions WHERE session_id = 'busy'`;
  expect(busy).toMatchObject({ ended_at: null });
});
