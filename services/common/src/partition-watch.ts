/**
 * What a reader of a partition asks of the log itself: first of all whether it really has read to the
 * end. A consumer lives on one server of a
 * cluster and knows that server's copy of the log alone: where that copy no longer grows (a replica that
 * can't recover), its heartbeats go on and nothing else does, for ever.
 */
import { STREAMS, storedPartitionSubjects } from "@fanfare/proto/addresses";
import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import type { Bus } from "./bus.js";
import type { Lifecycle } from "./lifecycle.js";

const LOOK_EVERY_MS = 5_000;

export class PartitionWatch {
  #lookAt = performance.now() + LOOK_EVERY_MS;
  #behindAt: number | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly partition: number,
  ) {}

  /**
   * True where the log's leader had entries behind `place` at two looks in a row, 5 s apart: what was
   * stored a moment ago may still be on its way. Rejects while the log can't be reached.
   */
  async isLeftBehind(place: number): Promise<boolean> {
    if (performance.now() < this.#lookAt) return false;
    this.#lookAt = performance.now() + LOOK_EVERY_MS;
    const last = await this.bus.jsm.streams.getMessage(STREAMS.log, {
      last_by_subj: storedPartitionSubjects(this.partition)[0],
    });
    const before = this.#behindAt;
    this.#behindAt = last && last.seq > place ? place : undefined;
    return before === place && this.#behindAt === place;
  }
}

/** Entries of a partition behind a place, as the log counts them. Rejects while it can't be reached. */
export async function entriesBehind(bus: Bus, partition: number, place: number): Promise<number> {
  const { name, num_pending } = await bus.jsm.consumers.add(STREAMS.log, {
    filter_subjects: storedPartitionSubjects(partition),
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: place + 1,
    ack_policy: AckPolicy.None,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: 5_000_000_000,
  });
  await bus.jsm.consumers.delete(STREAMS.log, name);
  return num_pending;
}

/**
 * A log that ends before the place of its own projection has lost entries (a store that was brought
 * back from a backup). What is appended until it has caught up is not read: somebody must know.
 */
export async function tellLoss(
  bus: Bus,
  { log }: Lifecycle,
  about: { projection: string; partition: number; place: number },
): Promise<void> {
  // Asked again: the first answer may be older than the place, which another reader has moved.
  const { last_seq: end } = (await bus.jsm.streams.info(STREAMS.log)).state;
  if (about.place > end)
    log.error({ ...about, end }, "the log ends before this place: entries are lost");
}

/** Resolves once the bus is connected, or with the signal. */
export function connected(bus: Bus, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (bus.connected() || signal.aborted) return resolve();
    const done = () => {
      forget();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const forget = bus.onReconnect(done);
    signal.addEventListener("abort", done);
  });
}
