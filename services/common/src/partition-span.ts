/** The span of a batch of the log, in the projection that applies it. */
import { LOG_TEMPLATE } from "@fanfare/proto/addresses";
import { failBusSpan, startBusSpan } from "./bus-spans.js";
import type { Batch, Projection } from "./partition-reader.js";
import { endSpan } from "./tracing.js";

/** Applies the batch: in a span where an entry of it was traced, or where it fails. */
export async function applyInSpan(projection: Projection, batch: Batch, generation: string) {
  const { entries, partition } = batch;
  const origins = entries.flatMap((entry) => entry.publishedBy ?? []);
  const startedAt = performance.now();
  const work = { verb: "process", template: LOG_TEMPLATE, startedAt, origins } as const;
  const span = startBusSpan(work);
  span?.setAttributes({
    "messaging.consumer.group.name": projection.name,
    "messaging.destination.partition.id": String(partition),
    "messaging.batch.message_count": entries.length,
  });
  try {
    const applied = await projection.apply({ ...batch, span }, generation);
    endSpan(span);
    return applied;
  } catch (error) {
    failBusSpan(span, work, error);
    throw error;
  }
}
