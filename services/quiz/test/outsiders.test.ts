/** Scores from outside, as the history writer stores them beside those of players. */
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Pod, type Stores, startPod, startStores, startWriter, until } from "./pods.js";
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

let stores: Stores;
let writer: Awaited<ReturnType<typeof startWriter>>;
let pod: Pod;
let log: RawLog;
let sql: postgres.Sql;

beforeAll(async () => {
  stores = await startStores();
  log = await openLog(stores.nats.url);
  writer = await startWriter(stores);
  pod = await startPod(stores);
  sql = postgres(stores.postgres.url, { max: 2, onnotice: () => {} });
});

afterAll(async () => {
  await sql.end();
  await pod.stop();
  await writer.stop();
  await log.close();
  await stores[Symbol.asyncDispose]();
});

/** What the writer counts of rounds whose rows differ from what the lanes held. */
async function auditMismatches(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${writer.adminPort}/metrics`)).text();
  return Number(/^quiz_audit_mismatches_total\S* (\d+)/m.exec(text)?.[1]);
}

const standingsOf = (sessionId: string) =>
  until(async () => {
    const found = await sql`
      SELECT player_id, nickname, user_key, points FROM quiz.final_standings
      WHERE session_id = ${sessionId} ORDER BY log_start DESC, place`;
    return found.length > 0 && found.map((row) => Object.values(row));
  });

async function exported(sessionId: string) {
  const rows = [];
  for await (const part of pod.client.exportHistory({ sessionId })) rows.push(...part.rows);
  return rows.map(({ playerId, outside: isOutside, nickname, points }) => [
    playerId,
    isOutside,
    nickname,
    points,
  ]);
}

test("what is published to another subject gets a letter that says which there are", async () => {
  const odd = ["QUIZ.odd.1.first.last", "QUIZ.odd.1.jane@example.org", "QUIZ.odd.1", "QUIZ.odd"];
  await log.publish(
    ...odd.map((subject): [string, string] => [subject, "20"]),
    outside("odd", "ann", 20),
  );
  const letters = await until(async () => {
    const found = (await log.letters()).filter(({ subject }) =>
      `${subject}.`.startsWith("QUIZ.odd."),
    );
    return found.length === odd.length && found;
  });
  expect(letters.map(({ subject }) => subject)).toEqual(odd);
  for (const { reason } of letters)
    expect(reason).toContain(
      "scores go to QUIZ.<session>.<round>.<user>: session and user 1 to 64",
    );
  await until(async () => {
    const rows = await sql`SELECT player_id FROM quiz.quiz_history WHERE session_id = 'odd'`;
    return rows.length === 1 && rows[0]?.player_id === "@ann";
  });
});

describe("an outsider who has a player's id as name", () => {
  const answer = answers("both", { answers: [{ playerId: "p1", points: 1_000 }] }, 1);
  test.each([
    ["before", [outside("both", "p1", 5), answer]],
    ["after", [answer, outside("both", "p1", 5)]],
  ])("takes nothing of the player's, scoring %s the answer", async (when, scores) => {
    const sessionId = `both_${when}`;
    const here = ([subject, payload]: [string, string]) =>
      [subject.replace("both", sessionId), payload] as [string, string];
    await log.publish(
      created(sessionId, { title: "Both" }),
      // Its nickname is read like the outsider's key.
      players(sessionId, { changes: [joined("p1", "@p1")] }),
      ...scores.map(here),
      roundClosed(sessionId, { answers: 1, points: 1_000n }, 1),
      ended(sessionId),
    );
    expect(await standingsOf(sessionId)).toEqual([
      ["p1", "@p1", "@@p1", 1_000],
      ["@p1", "", "@p1", 5],
    ]);
    expect(await exported(sessionId)).toEqual([
      ["p1", true, "p1", 5],
      ["p1", false, "@p1", 1_000],
    ]);
    expect(await auditMismatches()).toBe(0);
  });
});
