/** Scores from outside, as the history writer stores them beside those of players. */
import { STREAMS, storedSessionSubjects } from "@fanfare/proto/addresses";
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

/** Reasons of the letters about a session, by player or kind. */
async function lettersOf(sessionId: string): Promise<[last: string, reason: string][]> {
  return (await log.letters())
    .filter(({ subject }) => subject.startsWith(`QUIZ.${sessionId}.`))
    .map(({ subject, reason }) => [subject.split(".").at(-1) ?? "", reason]);
}

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

describe("behind the end of its session", () => {
  const BEHIND = "the session has ended, and its scores are final";
  const played = (sessionId: string) => [
    created(sessionId, { title: "Played" }),
    players(sessionId, { changes: [joined("p1", "Ann")] }),
    answers(sessionId, { answers: [{ playerId: "p1", points: 10 }] }, 1),
    roundClosed(sessionId, { answers: 1, points: 10n }, 1),
    ended(sessionId),
  ];
  const stored = (sessionId: string) => sql`
    SELECT player_id, points FROM quiz.quiz_history WHERE session_id = ${sessionId}
    ORDER BY sequence`;

  test("a score gets a letter and no row, whether the writer met the end just now or long ago", async () => {
    await log.publish(...played("late"), outside("late", "cy", 900));
    await until(async () => (await lettersOf("late")).length === 1);
    await writer.stop();
    writer = await startWriter(stores);
    await log.publish(
      outside("late", "p1", 900),
      answers("late", { answers: [{ playerId: "p1", points: 900 }] }, 2),
    );
    await until(async () => (await lettersOf("late")).length === 3);
    expect(await lettersOf("late")).toEqual([
      ["cy", BEHIND],
      ["p1", BEHIND],
      ["_0", BEHIND],
    ]);
    expect([...(await stored("late"))]).toEqual([{ player_id: "p1", points: 10 }]);
    expect(await standingsOf("late")).toEqual([["p1", "Ann", "ann", 10]]);
  });

  test("what came late leaves the log with the session, or after it", async () => {
    const filter = storedSessionSubjects("gone");
    const left = async () =>
      Object.keys(
        (await log.bus.jsm.streams.info(STREAMS.log, { subjects_filter: filter })).state.subjects ??
          {},
      );
    await log.publish(...played("gone"), outside("gone", "cy", 900));
    await until(async () => (await lettersOf("gone")).length === 1);
    const purger = await startWriter(stores, { PURGE_AFTER_S: "0" });
    await until(async () => (await left()).length === 0, 20_000);
    await log.publish(outside("gone", "dan", 900));
    await until(async () => (await lettersOf("gone")).length === 2);
    await until(async () => (await left()).length === 0, 20_000);
    await purger.stop();
  });

  test("a score never counts in the next session of the id", async () => {
    const next = answers("again", { answers: [{ playerId: "p2", points: 20 }] }, 1);
    await log.publish(...played("again"), outside("again", "cy", 900));
    await log.publish(created("again", { title: "Again" }), next, ended("again"));
    await until(async () => {
      const found = await sql`SELECT FROM quiz.sessions
        WHERE session_id = 'again' AND finalized_at IS NOT NULL`;
      return found.length === 2;
    });
    expect(await standingsOf("again")).toEqual([
      ["p2", "", "p2", 20],
      ["p1", "Ann", "ann", 10],
    ]);
    expect(await lettersOf("again")).toEqual([["cy", BEHIND]]);
  });
});
