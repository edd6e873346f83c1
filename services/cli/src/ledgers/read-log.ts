/** What the log holds of a session's answers. */
import { readStoredSubject, STREAMS, storedSessionSubjects } from "@fanfare/proto/addresses";
import { DeliverPolicy, jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { StoredAnswer } from "./compare.js";

interface StoredBatch {
  answers?: (Pick<StoredAnswer, "playerId" | "submissionId"> & Partial<StoredAnswer>)[];
}

/** In the log's order, of the last session of this id. Rejects where the log can't be read. */
export async function readLog(nc: NatsConnection, sessionId: string): Promise<StoredAnswer[]> {
  const consumer = await jetstream(nc).consumers.get(STREAMS.log, {
    filter_subjects: [storedSessionSubjects(sessionId)],
    deliver_policy: DeliverPolicy.All,
  });
  const rows: StoredAnswer[] = [];
  if ((await consumer.info()).num_pending === 0) return rows;
  const messages = await consumer.consume();
  for await (const message of messages) {
    const address = readStoredSubject(message.subject);
    if (typeof address !== "string") {
      // What lies before belongs to an earlier session of this id.
      if (address.kind === "sessionCreated") rows.length = 0;
      if (address.kind === "answers")
        for (const answer of message.json<StoredBatch>().answers ?? [])
          rows.push({ points: 0, elapsedMs: 0, ...answer, round: address.round });
    }
    if (message.info.pending === 0) break;
  }
  messages.stop();
  return rows;
}
