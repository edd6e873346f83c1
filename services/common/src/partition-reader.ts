/**
 * Reads partitions of the log, in order, into a projection that keeps its place beside its result.
 * The projection refuses a batch that does not follow its place, so a crash, a second reader or a
 * store that went back in time repeats and skips nothing: the reader goes to the place that holds.
 */
import { PARTITIONS, STREAMS, storedPartitionSubjects } from "@fanfare/proto/addresses";
import { DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import type { Bus } from "./bus.js";
import { type Lifecycle, pause } from "./lifecycle.js";
import type { Presence } from "./presence.js";

/** One stored entry. */
export interface LogEntry {
  /** Stored subject (addresses.ts: readStoredSubject). */
  subject: string;
  /** Position in the log. */
  sequence: number;
  /** When the log stored it, ms since 1970 on the server's clock. */
  storedAtMs: number;
  data: Uint8Array;
}

export interface Batch {
  partition: number;
  /** The place that the projection must be at. */
  after: number;
  /** At least one, in order. */
  entries: readonly LogEntry[];
  /** Entries of the partition that were still to be read behind this batch. */
  pending: number;
}

/** A projection of the log. `generation` names the stream: another one means that the log is new. */
export interface Projection {
  readonly name: string;
  /** The last sequence that is in the result; 0 for none of this generation. */
  position(partition: number, generation: string): Promise<number>;
  /** Applies the batch and moves the place, or does nothing and says which place holds. */
  apply(batch: Batch, generation: string): Promise<{ position: number }>;
}

const BATCH_ENTRIES_MAX = 500;
const BATCH_BYTES_MAX = 2 * 1024 * 1024;
/** An idle reader looks this often whether its place still holds (an emptied Redis). */
const CHECK_PLACE_EVERY_MS = 500;
/** A consumer that is silent for two of these is made anew by the client. */
const HEARTBEAT_MS = 2_000;
const RETRY_AFTER_MS = 250;

/** Keeps this pod's share of the partitions read until the lifecycle ends. */
export function readPartitions(
  projection: Projection,
  parts: { bus: Bus; presence: Presence; lifecycle: Lifecycle },
): { restart(partition: number): void } {
  const { presence, lifecycle } = parts;
  const running = new Map<number, AbortController>();
  const share = () => {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const mine = !lifecycle.signal.aborted && presence.isMine(`${projection.name} ${partition}`);
      const current = running.get(partition);
      if (mine && !current) {
        const abort = new AbortController();
        running.set(partition, abort);
        loops.add(readPartition(projection, partition, parts, abort.signal));
      } else if (!mine && current) {
        running.delete(partition);
        current.abort();
      }
    }
  };
  const loops = new Set<Promise<void>>();
  presence.onChange(share);
  lifecycle.push(`${projection.name} readers`, async () => {
    for (const abort of running.values()) abort.abort();
    await Promise.all(loops);
  });
  share();
  return {
    restart(partition) {
      running.get(partition)?.abort();
      running.delete(partition);
      share();
    },
  };
}

async function readPartition(
  projection: Projection,
  partition: number,
  parts: { bus: Bus; lifecycle: Lifecycle },
  signal: AbortSignal,
): Promise<void> {
  const { log } = parts.lifecycle;
  while (!signal.aborted) {
    try {
      await readOnce(projection, partition, parts, signal);
    } catch (err) {
      if (signal.aborted) return;
      log.warn({ err, partition, projection: projection.name }, "reader starts again");
      await pause(RETRY_AFTER_MS, signal);
    }
  }
}

/** Reads from the place that holds until it no longer does, an error, or the end. */
async function readOnce(
  projection: Projection,
  partition: number,
  { bus, lifecycle }: { bus: Bus; lifecycle: Lifecycle },
  signal: AbortSignal,
): Promise<void> {
  const generation = (await bus.jsm.streams.info(STREAMS.log)).created;
  let place = await projection.position(partition, generation);
  const consumer = await bus.js.consumers.get(STREAMS.log, {
    filter_subjects: [storedPartitionSubjects(partition)],
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: place + 1,
  });
  const inbox = new Inbox();
  const messages = await consumer.consume({
    max_messages: BATCH_ENTRIES_MAX,
    idle_heartbeat: HEARTBEAT_MS,
    callback: (message) => inbox.put(message),
  });
  const closed = messages.closed().then(() => inbox.end());
  const stop = () => inbox.end();
  // A server that was started again has forgotten the consumer.
  const forget = bus.onReconnect(stop);
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const taken = await inbox.take(CHECK_PLACE_EVERY_MS);
      if (signal.aborted || inbox.ended) return;
      if (taken.length === 0) {
        if ((await projection.position(partition, generation)) === place) continue;
        lifecycle.log.info(
          { partition, projection: projection.name },
          "place moved: reading from there",
        );
        return;
      }
      const pending = taken.at(-1)?.info.pending ?? 0;
      const entries = taken.map(toEntry);
      const last = entries.at(-1)?.sequence ?? place;
      const { position } = await projection.apply(
        { partition, after: place, entries, pending },
        generation,
      );
      if (position !== last) return;
      place = last;
    }
  } finally {
    forget();
    signal.removeEventListener("abort", stop);
    messages.stop();
    await Promise.race([closed, pause(1_000)]);
    await consumer.delete().catch(() => {});
  }
}

function toEntry(message: JsMsg): LogEntry {
  return {
    subject: message.subject,
    sequence: message.seq,
    storedAtMs: Number(BigInt(message.info.timestampNanos) / 1_000_000n),
    data: message.data,
  };
}

/** What has arrived and was not taken yet. */
class Inbox {
  #messages: JsMsg[] = [];
  #wake: (() => void) | undefined;
  ended = false;

  put(message: JsMsg): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  end(): void {
    this.ended = true;
    this.#wake?.();
  }

  /** Up to a batch of what is there; waits at most `ms` for the first. */
  async take(ms: number): Promise<JsMsg[]> {
    if (this.#messages.length === 0 && !this.ended)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#wake = undefined;
    let count = 0;
    let bytes = 0;
    for (const { data } of this.#messages) {
      if (count === BATCH_ENTRIES_MAX || (count > 0 && bytes + data.length > BATCH_BYTES_MAX))
        break;
      count++;
      bytes += data.length;
    }
    return this.#messages.splice(0, count);
  }
}
