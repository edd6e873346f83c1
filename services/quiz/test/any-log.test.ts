/** Whatever the log, however it is cut: the final standings in PostgreSQL are those of the boards' reference. */
import { fileURLToPath } from "node:url";
import type { LogEntry } from "@fanfare/common/partition-reader";
import { migrate } from "@fanfare/common/postgres";
import { startPostgres } from "@fanfare/common/servers/postgres";
import type { Server } from "@fanfare/common/servers/server";
import { partitionOf, storedSubject } from "@fanfare/proto/addresses";
import fc from "fast-check";
import { pino } from "pino";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chunks, log, SESSIONS } from "../../leaderboard/test/arbitrary-log.js";
import { referenceBoards } from "../../leaderboard/test/reference-board.js";
import { PostgresHistory } from "../src/adapters/postgres-history.js";
import { HistoryMetrics } from "../src/history-metrics.js";

const PARTITION = partitionOf(SESSIONS[0]);
/** Places of one log (log-places.ts). */
const SPAN = 2 ** 42;

let server: Server;
let sql: Sql;
let logs = 0;

beforeAll(async () => {
  server = await startPostgres({ fsync: false });
  sql = postgres(server.url, { max: 2, onnotice: () => {} });
  await migrate(sql, "quiz", fileURLToPath(new URL("../migrations", import.meta.url)));
});

afterAll(async () => {
  await sql?.end();
  await server?.[Symbol.asyncDispose]();
});

function newHistory() {
  const metrics = new HistoryMetrics(2);
  const deadLetters = { publish: async () => {} };
  const parts = { sql, deadLetters, metrics, log: pino({ level: "silent" }) };
  return { history: new PostgresHistory(parts), metrics };
}

/** Rows of the session's final standings in this log, in order; undefined where it has not ended. */
async function finalRows(sessionId: string, number: number) {
  const [newest] = await sql`
    SELECT log_start, created, finalized_at FROM quiz.sessions
    WHERE session_id = ${sessionId} AND log_start >= ${number * SPAN}
    ORDER BY log_start DESC LIMIT 1`;
  if (!newest?.created || !newest.finalized_at) return undefined;
  const rows = await sql`
    SELECT player_id AS "playerId", points, elapsed_ms::int AS "elapsedMs"
    FROM quiz.final_standings
    WHERE session_id = ${sessionId} AND log_start = ${newest.log_start} ORDER BY place`;
  return rows.map((row) => ({ ...row }));
}

test("outsiders, late scores, kicks and bans come to the same in both stores, and no audit differs", async () => {
  const cut = log.chain((entries) => {
    const stored = entries.map(
      ({ subject, payload }, i): LogEntry => ({
        subject: storedSubject(subject),
        sequence: i + 1,
        storedAtMs: 0,
        data: new TextEncoder().encode(payload),
      }),
    );
    return chunks(stored).map((batches) => ({ entries, batches }));
  });
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(cut, async ({ entries, batches }) => {
      const number = logs++;
      // Ids are the same in all of them; sessions of another log would speak of these.
      await sql`TRUNCATE quiz.sessions, quiz.players, quiz.rounds, quiz.quiz_history,
        quiz.final_standings, quiz.sessions_to_award`;
      let { history, metrics } = newHistory();
      for (const [i, batch] of batches.entries()) {
        // A writer that starts anew knows what PostgreSQL knows.
        if (i % 5 === 4) ({ history, metrics } = newHistory());
        const after = (batch[0]?.sequence ?? 1) - 1;
        const given = { partition: PARTITION, after, entries: batch, pending: 0 };
        const { position } = await history.apply(given, `log ${number}`);
        expect(position).toBe(batch.at(-1)?.sequence);
        const audit = await metrics.registry.getSingleMetric("quiz_audit_mismatches_total")?.get();
        expect(audit?.values.every(({ value }) => value === 0)).toBe(true);
      }
      const boards = referenceBoards(entries);
      for (const sessionId of SESSIONS) {
        const rows = await finalRows(sessionId, number);
        if (rows) expect(rows).toEqual(boards.get(sessionId)?.rows);
        if (rows) compared++;
      }
    }),
    { numRuns: 30 },
  );
  expect(compared).toBeGreaterThan(5);
});
