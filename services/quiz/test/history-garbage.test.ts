/** What the history writer does with entries that PostgreSQL can't hold: one never holds up the rest. */
import type { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
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
  roundClosed,
} from "./raw-log.js";

const NUL = "\u0000";

let stores: Stores;
let writer: Awaited<ReturnType<typeof startWriter>>;
let log: RawLog;
let sql: postgres.Sql;

beforeAll(async () => {
  stores = await startStores();
  log = await openLog(stores.nats.url);
  writer = await startWriter(stores);
  sql = postgres(stores.postgres.url, { max: 2, onnotice: () => {} });
});

afterEach(async () => {
  await sql`DROP TRIGGER IF EXISTS fault ON quiz.quiz_history`;
});

afterAll(async () => {
  await sql.end();
  await writer.stop();
  await log.close();
  await stores[Symbol.asyncDispose]();
});

const rowsOf = (sessionId: string) => sql<{ player_id: string; points: number }[]>`
  SELECT player_id, points FROM quiz.quiz_history WHERE session_id = ${sessionId} ORDER BY player_id`;

/** The rows once there are so many. */
const rows = (sessionId: string, count: number) =>
  until(async () => {
    const found = await rowsOf(sessionId);
    return found.length === count && found.map((row) => [row.player_id, row.points]);
  });

/** How many entries PostgreSQL has refused. */
async function refusals(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${writer.adminPort}/metrics`)).text();
  const name = "quiz_events_dead_lettered_total{";
  const lines = text.split("\n").filter((line) => line.startsWith(name));
  return Number(
    lines
      .find((line) => line.includes('reason="refused"'))
      ?.split(" ")
      .at(-1) ?? 0,
  );
}

/** PostgreSQL fails with this SQLSTATE at scores of 13 points, and notes how often it did. */
async function failAt13(state: string): Promise<{ failures(): Promise<number> }> {
  await sql`CREATE SEQUENCE IF NOT EXISTS failures`;
  await sql`ALTER SEQUENCE failures RESTART`;
  await sql.unsafe(`
    CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.points = 13 THEN
        PERFORM nextval('failures');
        RAISE EXCEPTION 'thirteen' USING ERRCODE = '${state}';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER fault BEFORE INSERT ON quiz.quiz_history
      FOR EACH ROW EXECUTE FUNCTION fault()`);
  return {
    async failures() {
      const [row] = await sql`SELECT last_value, is_called FROM failures`;
      return row?.is_called ? Number(row.last_value) : 0;
    },
  };
}

test("texts and numbers that PostgreSQL can't hold are garbage, and what follows is stored", async () => {
  const removed = { playerId: "p1", status: 99_999 as PlayerStatus };
  const garbage = [
    created("nul", { title: `a${NUL}b` }),
    created("nul", { title: "many", rounds: 2 ** 32 - 1 }),
    players("nul", { changes: [joined("p1", NUL)] }),
    players("nul", { changes: [joined("p1", "Ann", "u".repeat(5_000))] }),
    players("nul", { changes: [{ change: { case: "removed", value: removed } }] }),
    answers("nul", { answers: [{ playerId: "p1", submissionId: NUL }] }, 1),
    answers("nul", { answers: [{ playerId: "p1", choices: [NUL] }] }, 1),
    roundClosed("nul", { answers: 2 ** 31 }, 1),
    roundClosed("nul", { distribution: [{ choice: NUL }] }, 1),
  ];
  await log.publish(...garbage, outside("nul", "ann", 20));
  expect(await rows("nul", 1)).toEqual([["@ann", 20]]);
  const letters = await until(async () => {
    const found = (await log.letters()).filter(({ subject }) => subject.startsWith("QUIZ.nul."));
    return found.length === garbage.length && found;
  });
  expect(letters.map(({ subject }) => subject)).toEqual(garbage.map(([subject]) => subject));
});

test("points beyond int4 end a session all the same", async () => {
  // The bound of one score is a million, so it takes many rounds.
  const rounds = Array.from({ length: 2_148 }, (_, i) => i + 1);
  const ann = (points: number) => ({ answers: [{ playerId: "ann", points }] });
  await log.publish(created("rich", { title: "Rich" }));
  // Not all at once: each must be acknowledged in time, also where the machine is busy.
  while (rounds.length > 0)
    await Promise.all(
      rounds.splice(0, 200).map((round) => log.publish(answers("rich", ann(1_000_000), round))),
    );
  await log.publish(ended("rich"));
  const [last] = await until(async () => {
    const found = await sql`SELECT points FROM quiz.final_standings WHERE session_id = 'rich'`;
    return found.length === 1 && found;
  });
  expect(last?.points).toBe(2 ** 31 - 1);
});

test("an entry that PostgreSQL refuses is passed over alone, with a letter and a count", async () => {
  await failAt13("23514");
  const batch = answers(
    "thirteen",
    {
      answers: [
        { playerId: "bob", points: 12 },
        { playerId: "cy", points: 13 },
      ],
    },
    2,
  );
  await log.publish(outside("thirteen", "ann", 11), batch, outside("thirteen", "dan", 14));
  expect(await rows("thirteen", 2)).toEqual([
    ["@ann", 11],
    ["@dan", 14],
  ]);
  const letters = await log.letters();
  expect(letters.filter(({ subject }) => subject.startsWith("QUIZ.thirteen."))).toEqual([
    { subject: "QUIZ.thirteen.2._0", reason: "thirteen" },
  ]);
  expect(await refusals()).toBe(1);
});

test.each([
  ["a full disk", "53100"],
  ["a serialization failure", "40001"],
  ["an error of the server", "XX000"],
])("%s is tried again until it is over: nothing is passed over", async (_, state) => {
  const session = `tried_${state}`;
  const { failures } = await failAt13(state);
  await log.publish(outside(session, "ann", 12), outside(session, "bob", 13));
  await log.publish(outside(session, "cy", 14));
  await until(async () => (await failures()) >= 3);
  expect((await rowsOf(session)).some(({ points }) => points === 14)).toBe(false);
  await sql`DROP TRIGGER fault ON quiz.quiz_history`;
  expect(await rows(session, 3)).toEqual([
    ["@ann", 12],
    ["@bob", 13],
    ["@cy", 14],
  ]);
  const letters = await log.letters();
  expect(letters.filter(({ subject }) => subject.startsWith(`QUIZ.${session}.`))).toEqual([]);
});
