/** Purging goes on after NATS was away, also where that was at the very start of it. */
import { STREAMS, storedSessionSubjects } from "@fanfare/proto/addresses";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stores, startStores, startWriter, until } from "./pods.js";
import { created, ended, openLog, type RawLog } from "./raw-log.js";

let stores: Stores;
let log: RawLog;
let sql: postgres.Sql;

beforeAll(async () => {
  stores = await startStores();
  log = await openLog(stores.nats.url);
  sql = postgres(stores.postgres.url, { max: 2, onnotice: () => {} });
});

afterAll(async () => {
  await sql.end();
  await log.close();
  await stores[Symbol.asyncDispose]();
});

const failures = async (adminPort: number) => {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return Number(/^quiz_loop_failures_total\{.*loop="purge".*\} (\d+)$/m.exec(text)?.[1] ?? 0);
};

const isWaiting = async () =>
  (await sql`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`).length > 0;

/** False while the log can't be asked. */
const isPurged = (sessionId: string) =>
  log.bus.jsm.streams
    .info(STREAMS.log, { subjects_filter: storedSessionSubjects(sessionId) })
    .then(({ state }) => Object.keys(state.subjects ?? {}).length === 0)
    .catch(() => false);

test("a writer whose first look meets a NATS that is away purges once it is back", async () => {
  await log.publish(created("early", { title: "Early" }), ended("early"));
  // A writer that waits for its migrations is connected to NATS already: so its first look meets none.
  const starting = await sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(hashtext('fanfare migrations quiz'))`;
    const start = startWriter(stores, { PURGE_AFTER_S: "0" });
    await until(isWaiting, 20_000);
    await stores.nats.kill("SIGKILL");
    return [start];
  });
  const [writer] = await Promise.all(starting);
  if (!writer) throw new Error("no writer");
  await until(async () => (await failures(writer.adminPort)) > 0, 20_000);
  await stores.nats.restart();
  await until(() => isPurged("early"), 30_000);
  // And again in the middle of its life.
  await log.publish(created("late", { title: "Late" }), ended("late"));
  await stores.nats.kill("SIGKILL");
  const before = await failures(writer.adminPort);
  await until(async () => (await failures(writer.adminPort)) > before, 20_000);
  await stores.nats.restart();
  await until(() => isPurged("late"), 30_000);
  const livez = await fetch(`http://127.0.0.1:${writer.adminPort}/livez`);
  expect(livez.status).toBe(200);
  await writer.stop();
}, 120_000);
