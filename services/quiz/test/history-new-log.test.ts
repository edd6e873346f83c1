/** A NATS store that was made anew under a PostgreSQL that remembers: its sequences begin again at 1. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { STREAMS, storedSessionSubjects } from "@fanfare/proto/addresses";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stores, startStores, startWriter, until } from "./pods.js";
import {
  answers,
  created,
  ended,
  joined,
  openLog,
  outside,
  players,
  type RawLog,
} from "./raw-log.js";

let stores: Stores;
let writer: Awaited<ReturnType<typeof startWriter>>;
let log: RawLog;
let sql: postgres.Sql;

beforeAll(async () => {
  stores = await startStores();
  sql = postgres(stores.postgres.url, { max: 2, onnotice: () => {} });
  log = await openLog(stores.nats.url);
  writer = await startWriter(stores);
  // The first entry of both logs, so that even the sequences are the same.
  await log.publish(created("twin", { title: "old twin" }));
  await log.publish(...round("twin", "ann", 10), outside("quiz_1", "ann", 10));
  await log.publish(created("again", { title: "old again" }), ...round("again", "ann", 10));
  await log.publish(ended("again"));
  await log.publish(created("over", { title: "Over" }), ...round("over", "ann", 10), ended("over"));
  await untilTold("again", "over", "quiz_1", "twin");
  await makeNatsAnew();
});

afterAll(async () => {
  await sql.end();
  await writer.stop();
  await log.close();
  await stores[Symbol.asyncDispose]();
});

function round(sessionId: string, playerId: string, points: number) {
  return [
    players(sessionId, { changes: [joined(playerId, `the ${playerId} of ${points}`)] }),
    answers(sessionId, { answers: [{ playerId, points }] }, 1),
  ] as const;
}

async function makeNatsAnew(): Promise<void> {
  await log.close();
  await stores.nats.stop();
  await rm(join(stores.nats.directory ?? "", "jetstream"), { recursive: true });
  await stores.nats.restart();
  log = await openLog(stores.nats.url);
}

/** Waits for a score in each. */
async function untilTold(...sessionIds: string[]): Promise<void> {
  await until(async () => {
    const [row] = await sql`SELECT count(DISTINCT session_id)::int AS n FROM quiz.quiz_history
      WHERE session_id = ANY(${sessionIds})`;
    return row?.n === sessionIds.length;
  });
}

const scoresOf = (sessionId: string, count: number) =>
  until(async () => {
    const found = await sql`
      SELECT title, player_id, nickname, points FROM quiz.quiz_history
      JOIN quiz.sessions USING (session_id, log_start)
      LEFT JOIN quiz.players USING (session_id, log_start, player_id)
      WHERE session_id = ${sessionId} ORDER BY log_start, player_id`;
    return found.length === count && found.map((row) => Object.values(row));
  }, 20_000);

test("a session of a new log is another one, also where its id and sequence are the same", async () => {
  await log.publish(created("twin", { title: "new twin" }), ...round("twin", "ann", 20));
  expect(await scoresOf("twin", 2)).toEqual([
    ["old twin", "ann", "the ann of 10", 10],
    ["new twin", "ann", "the ann of 20", 20],
  ]);
});

test("a session that nobody created has its own scores in each log", async () => {
  await log.publish(outside("quiz_1", "ann", 20), outside("quiz_1", "bob", 30));
  expect(await scoresOf("quiz_1", 3)).toEqual([
    ["", "@ann", null, 10],
    ["", "@ann", null, 20],
    ["", "@bob", null, 30],
  ]);
});

test("a session that ended in an earlier log takes no score in this one", async () => {
  await log.publish(outside("over", "late", 900));
  await until(async () =>
    (await log.letters()).some(({ subject }) => subject === "QUIZ.over.1.late"),
  );
  expect(await scoresOf("over", 1)).toEqual([["Over", "ann", "the ann of 10", 10]]);
});

test("an ended session of an earlier log purges nothing of the new one's", async () => {
  // Their sequences are not above that of the old session's end.
  await log.publish(created("again", { title: "new again" }), ...round("again", "bob", 20));
  expect(await scoresOf("again", 2)).toEqual([
    ["old again", "ann", "the ann of 10", 10],
    ["new again", "bob", "the bob of 20", 20],
  ]);
  const filter = storedSessionSubjects("again");
  const stored = async () =>
    (await log.bus.jsm.streams.info(STREAMS.log, { subjects_filter: filter })).state.subjects ?? {};
  await log.publish(created("done", { title: "Done" }), ended("done"));
  const purger = await startWriter(stores, { PURGE_AFTER_S: "0" });
  await until(async () => {
    const [row] = await sql`SELECT purged_at FROM quiz.sessions WHERE session_id = 'done'`;
    return row?.purged_at != null;
  }, 20_000);
  expect(Object.keys(await stored())).toHaveLength(3);
  await log.publish(ended("again"));
  await until(async () => Object.keys(await stored()).length === 0, 20_000);
  const standings = await sql`SELECT title, player_id, points FROM quiz.final_standings
    JOIN quiz.sessions USING (session_id, log_start)
    WHERE session_id = 'again' ORDER BY log_start`;
  expect(standings.map((row) => Object.values(row))).toEqual([
    ["old again", "ann", 10],
    ["new again", "bob", 20],
  ]);
  await purger.stop();
});
