/** What the log and PostgreSQL hold of a session's answers, against what players were told. */
import { readStoredSubject, STREAMS, storedSessionSubjects } from "@fanfare/proto/addresses";
import { DeliverPolicy, jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type postgres from "postgres";

/** How often each answer (by submission id, which names its round) is there. */
export type Ledger = ReadonlyMap<string, number>;

export interface Comparison {
  /** Acknowledged and not there. */
  lost: number;
  /** There more than once. */
  doubled: number;
  /** There, and never acknowledged: allowed, as an acknowledgement may get lost. */
  unacknowledged: number;
}

/** Pure. */
export function compare(acknowledged: ReadonlySet<string>, ledger: Ledger): Comparison {
  const comparison: Comparison = { lost: 0, doubled: 0, unacknowledged: 0 };
  for (const id of acknowledged) if (!ledger.has(id)) comparison.lost++;
  for (const [id, times] of ledger) {
    if (times > 1) comparison.doubled++;
    if (!acknowledged.has(id)) comparison.unacknowledged++;
  }
  return comparison;
}

function countOf(ids: Iterable<string>): Ledger {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

export async function readHistory(sql: postgres.Sql, sessionId: string): Promise<Ledger> {
  const rows = await sql<{ submission_id: string }[]>`
    SELECT submission_id FROM quiz.quiz_history WHERE session_id = ${sessionId}`;
  return countOf(rows.map((row) => row.submission_id));
}

interface StoredBatch {
  answers?: { submissionId: string }[];
}

export async function readLog(natsUrl: string, sessionId: string): Promise<Ledger> {
  const nc = await connect({ servers: natsUrl });
  try {
    const consumer = await jetstream(nc).consumers.get(STREAMS.log, {
      filter_subjects: [storedSessionSubjects(sessionId)],
      deliver_policy: DeliverPolicy.All,
    });
    const ids: string[] = [];
    for await (const message of await consumer.consume()) {
      const address = readStoredSubject(message.subject);
      if (typeof address !== "string" && address.kind === "answers")
        for (const answer of message.json<StoredBatch>().answers ?? [])
          ids.push(answer.submissionId);
      if (message.info.pending === 0) break;
    }
    return countOf(ids);
  } finally {
    await nc.close();
  }
}
