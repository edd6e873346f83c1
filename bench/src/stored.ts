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

/** `acknowledged`: submission ids. */
export async function compareStored(
  acknowledged: ReadonlySet<string>,
  { stack, sql, sessionId }: { stack: Stack; sql: postgres.Sql; sessionId: string },
): Promise<{ log: Comparison; postgres: Comparison }> {
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
