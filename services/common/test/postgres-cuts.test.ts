/**
 * Connections to PostgreSQL that are cut at every message of the protocol, in every way: what was
 * under way is refused, never half done and never called done, the next try gets through, and
 * nothing is thrown where nobody can catch it.
 */
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { within } from "../src/lifecycle.js";
import { connectPostgres, type Sql } from "../src/postgres.js";
import { startPostgres } from "../src/servers/postgres.js";
import type { Server } from "../src/servers/server.js";
import { CUTS, startCuttingProxy } from "./cutting-proxy.js";
import { eventually, newLifecycle } from "./parts.js";

/** Long enough that the driver writes at once, and short enough that it waits for the next turn. */
const NOTES = ["n".repeat(2_000), "n"];
const HEALED_WITHIN_MS = 10_000;
const SILENCE_MS = 1_000;

let server: Server;
let truth: postgres.Sql;
let proxy: Awaited<ReturnType<typeof startCuttingProxy>>;
const uncaught: unknown[] = [];
const note = (error: unknown) => void uncaught.push(error);

beforeAll(async () => {
  server = await startPostgres({ fsync: false });
  proxy = await startCuttingProxy(server.url);
  truth = postgres(server.url, { max: 1, onnotice: () => {} });
  await truth`CREATE TABLE place (steps int NOT NULL)`;
  await truth`INSERT INTO place VALUES (0)`;
  await truth`CREATE TABLE steps (attempt int PRIMARY KEY, note text NOT NULL)`;
  await truth`CREATE TABLE lines (attempt int PRIMARY KEY)`;
  process.prependListener("uncaughtException", note);
  process.prependListener("unhandledRejection", note);
});

beforeEach(() => {
  uncaught.length = 0;
});

afterAll(async () => {
  process.off("uncaughtException", note);
  process.off("unhandledRejection", note);
  await truth?.end();
  proxy?.stop();
  await server?.[Symbol.asyncDispose]();
});

let attempts = 0;

/** As the history writer: reads its place, writes rows, moves its place. */
async function step(sql: Sql, text: string, done: number[]): Promise<void> {
  const attempt = ++attempts;
  await sql.begin(async (tx) => {
    const [at] = await tx`SELECT steps FROM place FOR UPDATE`;
    // Work that is not the database's: the connection may go meanwhile.
    await new Promise((resolve) => setImmediate(resolve));
    const rows = await tx`INSERT INTO steps VALUES (${attempt}, ${text}) RETURNING attempt`;
    await tx`UPDATE place SET steps = ${at?.steps + rows.length}`;
  });
  done.push(attempt);
}

async function line(sql: Sql, done: number[]): Promise<void> {
  const attempt = ++attempts;
  const rows = await sql`INSERT INTO lines VALUES (${attempt}) RETURNING attempt`;
  if (rows[0]?.attempt !== attempt) throw new Error("called done without an answer of the server");
  done.push(attempt);
}

/** Tries until it gets through, as loops and callers do; at once, which is the worst moment. */
async function untilDone(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!/CONNECT|closed|terminat|statement timeout/i.test(String(error))) throw error;
    }
  }
}

/** Two transactions and two single queries at once, through a pool that connects for them. */
async function play(cut: (typeof CUTS)[number], message: number) {
  const { lifecycle } = newLifecycle();
  const steps: number[] = [];
  const lines: number[] = [];
  proxy.cutAt(message, cut);
  const sql = connectPostgres({ url: proxy.url, name: "cuts", connectionsMax: 2 }, lifecycle);
  try {
    const work = [
      ...NOTES.map((text) => untilDone(() => step(sql, text, steps))),
      ...NOTES.map(() => untilDone(() => line(sql, lines))),
    ];
    await within(HEALED_WITHIN_MS, Promise.all(work));
  } finally {
    await lifecycle.close(100);
  }
  const [is] = await truth`SELECT (SELECT steps FROM place) AS moved,
    (SELECT count(*)::int FROM steps) AS stored,
    (SELECT count(*)::int FROM steps WHERE attempt = ANY(${steps})) AS told,
    (SELECT count(*)::int FROM lines WHERE attempt = ANY(${lines})) AS lines`;
  expect(is, `${cut} at ${message}`).toEqual({
    moved: is?.stored,
    stored: is?.stored,
    told: steps.length,
    lines: lines.length,
  });
  expect(uncaught, `${cut} at ${message}`).toEqual([]);
  return proxy.passed();
}

test.each(CUTS)("%s, at every message", { timeout: 300_000 }, async (cut) => {
  const messages = await play(cut, Number.POSITIVE_INFINITY);
  expect(messages).toBeGreaterThan(50);
  for (let message = 1; message <= messages; message++) await play(cut, message);
});

test("after a network that forwarded nothing, a writer is on time, and no lock is left of it", async () => {
  const { lifecycle } = newLifecycle();
  const done: number[] = [];
  const sql = connectPostgres(
    { url: proxy.url, name: "silence", connectionsMax: 2, silenceMs: SILENCE_MS },
    lifecycle,
  );
  await step(sql, "before", done);
  let isHeld = () => {};
  const held = new Promise<void>((resolve) => {
    isHeld = resolve;
  });
  // Its lock is held by a session that the server believes to be alive.
  const stuck = sql.begin(async (tx) => {
    await tx`SELECT steps FROM place FOR UPDATE`;
    proxy.goSilent(true);
    isHeld();
    await tx`UPDATE place SET steps = -1`;
  });
  await Promise.all([held, expect(stuck).rejects.toThrow("CONNECTION_SILENT")]);
  await expect(step(sql, "meanwhile", done)).rejects.toThrow(/CONNECT/);
  proxy.goSilent(false);
  await within(
    HEALED_WITHIN_MS,
    untilDone(() => step(sql, "after", done)),
  );
  expect(done).toHaveLength(2);
  await lifecycle.close(100);
});

test("a statement without an end is ended by the server too", async () => {
  const { lifecycle } = newLifecycle();
  const sql = connectPostgres(
    { url: server.url, name: "endless", connectionsMax: 1, silenceMs: SILENCE_MS },
    lifecycle,
  );
  await expect(sql`SELECT pg_sleep(60)`).rejects.toThrow(/CONNECTION_SILENT|statement timeout/);
  await eventually("nothing runs for us", async () => {
    const running = await truth`SELECT 1 FROM pg_stat_activity
      WHERE application_name = 'endless' AND state = 'active'`;
    return running.length === 0;
  });
  await lifecycle.close(100);
});

test("of several hosts the first that takes a connection is used", async () => {
  const { lifecycle } = newLifecycle();
  const url = server.url.replace("127.0.0.1:", "127.0.0.1:1,127.0.0.1:");
  const sql = connectPostgres({ url, name: "hosts", connectionsMax: 1 }, lifecycle);
  expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  await lifecycle.close(100);
});
