/** What the log and PostgreSQL hold of a session's answers, against what players were told. */
import {
  type Comparison,
  compareAnswers,
  type OwnBook,
  type StoredAnswer,
} from "@fanfare/cli/ledgers/compare";
import { readLog } from "@fanfare/cli/ledgers/read-log";
import type { Stack } from "@fanfare/cli/stack/start-stack";
import { connect } from "@nats-io/transport-node";
import type postgres from "postgres";
import { holdsWithin } from "./numbers.js";

const HISTORY_LIMIT_MS = 20_000;

/** Of each account, how it differs from what players were told. */
export interface Stored {
  log: Comparison;
  postgres: Comparison;
}

/** Whether so many rows of a round are in PostgreSQL within 20 s; resolves as soon as they are. */
export function rowsArrive(
  sql: postgres.Sql,
  { sessionId, round }: { sessionId: string; round: number },
  wanted: number,
): Promise<boolean> {
  return holdsWithin(HISTORY_LIMIT_MS, async () => {
    const [row] = await sql`
      SELECT count(*)::int AS n FROM quiz.quiz_history
      WHERE session_id = ${sessionId} AND round = ${round}`;
    return Number(row?.n) >= wanted;
  });
}

/** `acknowledged`: submission ids. */
export async function compareStored(
  acknowledged: ReadonlySet<string>,
  { stack, sql, sessionId }: { stack: Stack; sql: postgres.Sql; sessionId: string },
): Promise<Stored> {
  const nc = await connect({ servers: stack.natsUrl });
  try {
    const log = await readLog(nc, sessionId);
    const history = await sql<StoredAnswer[]>`
      SELECT submission_id AS "submissionId", round, player_id AS "playerId", points,
        elapsed_ms AS "elapsedMs" FROM quiz.quiz_history WHERE session_id = ${sessionId}`;
    const places = new Map(log.map((row) => [row.submissionId, row]));
    // The crowd knows ids only: whose answer it was is for the log to say.
    const book: OwnBook = new Map(
      [...acknowledged].map((id) => {
        const { round = 0, playerId = "" } = places.get(id) ?? {};
        return [id, { round, playerId, verdict: "accepted", points: undefined }];
      }),
    );
    return { log: compareAnswers(book, log), postgres: compareAnswers(book, history) };
  } finally {
    await nc.close();
  }
}

/** Whether an acknowledged answer is missing anywhere, or is there twice. */
export function isWrong({ log, postgres }: Stored): boolean {
  return [log, postgres].some(({ lost, doubled }) => lost + doubled > 0);
}

/** A line for each account. */
export function storedLines({ log, postgres }: Stored): string[] {
  return Object.entries({ log, PostgreSQL: postgres }).map(
    ([name, { lost, doubled, unacknowledged }]) =>
      `${name}: ${lost} lost, ${doubled} doubled, ${unacknowledged} stored without acknowledgement`,
  );
}
