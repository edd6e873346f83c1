/**
 * Reads partitions of the log, in order, into a projection that keeps its place beside its result.
 * The projection refuses a batch that does not follow its place, so a crash, a second reader or a
 * store that went back in time repeats and skips nothing: the reader goes to the place that holds.
 */
import { PARTITIONS, STREAMS, storedPartitionSubjects } from "@fanfare/proto/addresses";
import { type ConsumerMessages, DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import { Backoff } from "./backoff.js";
import type { Bus } from "./bus.js";
import { publishedBy } from "./bus-spans.js";
import { type Lifecycle, pause, within } from "./lifecycle.js";
import { watchLoop } from "./loops.js";
import { Inbox } from "./partition-inbox.js";
import { applyInSpan } from "./partition-span.js";
import { connected, entriesBehind, PartitionWatch, tellLoss } from "./partition-watch.js";
import type { Presence } from "./presence.js";
import type { ReaderMetrics } from "./reader-metrics.js";
import type { Span } from "./tracing.js";

/** One stored entry. */
export interface LogEntry {
  /** Stored subject (addresses.ts: readStoredSubject). */
  subject: string;
  /** Position in the log. */
  sequence: number;
  /** When the log stored it, ms since 1970 on the server's clock. */
  storedAtMs: number;
  data: Uint8Array;
  /** Its publishing, where that was traced. */
  publishedBy?: Span | undefined;
}

export interface Batch {
  partition: number;
  /** The place that the projection must be at. */
  after: number;
  /** At least one, in order. */
  entries: readonly LogEntry[];
  /** Entries of the partition that were still to be read behind this batch. */
  pending: number;
  /** The span of this batch, where an entry of it is traced. */
  span?: Span | undefined;
}

/** What became of a batch. */
export interface Applied {
  /** The place that holds now; the batch's last sequence where all of it was applied. */
  position: number;
  /** Its entries that nobody can read or store, and that were passed over. */
  passedOver?: number;
}

/** A projection of the log. `generation` names the stream: another one means that the log is new. */
export interface Projection {
  readonly name: string;
  readonly pace: {
    /**
     * How long entries gather after a batch before the next is applied, in ms: many in one step cost
     * less. Half of it more or less, so that the batches of all partitions come in the same turn. A
     * reader that is behind does not wait, and an urgent entry ends the gathering.
     */
    gatherMs: number;
    /** The same for the first entry after a silence: what comes with it is most often of one room. */
    companyMs: number;
    /** Whether somebody waits for what an entry of this stored subject does. */
    isUrgent(subject: string): boolean;
    /** How often an idle reader looks whether its place still holds, in ms (an emptied Redis). */
    checkPlaceEveryMs: number;
  };
  /** The last sequence that is in the result; 0 for none of this generation. */
  position(partition: number, generation: string): Promise<number>;
  /** Applies the batch and moves the place, or does nothing and says which place holds. */
  apply(batch: Batch, generation: string): Promise<Applied>;
}

/** Entries on their way to a reader: with the inbox, all that it may hold. */
const IN_FLIGHT_MAX = 100;
/** A consumer that is silent for two of these is taken for lost, and another one made. */
const HEARTBEAT_MS = 1_000;
/**
 * A sink that leaves the inbox full for so long gets a new consumer once it is done: the client, taking
 * the silence for a loss, would ask for more and more. Less than two heartbeats.
 */
const STALL_MS = 1_500;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 1_000;
const LOG_FAILURE_EVERY_MS = 10_000;
/** Before a reader that was refused at once tries again: another one is at work. */
const REFUSED_PAUSE_MS = 50;

interface Parts {
  bus: Bus;
  lifecycle: Lifecycle;
  metrics: ReaderMetrics;
}

/** Learns how a reader gets on. */
interface Progress {
  onPlace(place: number): void;
  onApplied(): void;
}

/** Keeps this pod's share of the partitions read until the lifecycle ends. */
export function readPartitions(
  projection: Projection,
  parts: Parts & { presence: Presence },
): { restart(partition: number): void } {
  const { presence, lifecycle, metrics } = parts;
  const running = new Map<number, AbortController>();
  const loops = new Set<Promise<void>>();
  const share = () => {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const mine = !lifecycle.signal.aborted && presence.isMine(`${projection.name} ${partition}`);
      const current = running.get(partition);
      if (mine && !current) {
        const abort = new AbortController();
        running.set(partition, abort);
        metrics.begun(partition);
        const reading = readPartition(projection, partition, parts, abort.signal);
        const loop = watchLoop(`${projection.name} readers`, reading, lifecycle, abort.signal);
        loops.add(loop);
        void loop.then(() => loops.delete(loop));
      } else if (!mine && current) {
        running.delete(partition);
        metrics.ended(partition);
        current.abort();
      }
    }
  };
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

/** Reads until the signal. Never rejects. */
async function readPartition(
  projection: Projection,
  partition: number,
  parts: Parts,
  signal: AbortSignal,
): Promise<void> {
  const { bus, lifecycle, metrics } = parts;
  const backoff = new Backoff({ firstMs: RETRY_MIN_MS, maxMs: RETRY_MAX_MS });
  let toldAt = Number.NEGATIVE_INFINITY;
  let place: number | undefined;
  while (!signal.aborted) {
    // Asked while it is away, NATS would let each question run into its time-out.
    await connected(bus, signal);
    let applied = 0;
    const progress = {
      onPlace: (known: number) => {
        place = known;
      },
      onApplied: () => {
        applied++;
        backoff.reset();
      },
    };
    try {
      await readOnce(projection, partition, { ...parts, ...progress }, signal);
      if (applied === 0) await pause(REFUSED_PAUSE_MS, signal);
    } catch (err) {
      if (signal.aborted) return;
      if (performance.now() - toldAt >= LOG_FAILURE_EVERY_MS) {
        lifecycle.log.warn({ err, partition, projection: projection.name }, "reader starts again");
        toldAt = performance.now();
        // What comes while the store is away waits unread: the log knows how much it is.
        if (place !== undefined && bus.connected())
          await entriesBehind(bus, partition, place)
            .then((waiting) => metrics.waits(partition, waiting))
            .catch(() => {});
      }
      lifecycle.loops.failed(`${projection.name} readers`);
      await pause(backoff.next(), signal);
    }
  }
}

/** Reads from the place that holds until it no longer does, an error, or the end. */
async function readOnce(
  projection: Projection,
  partition: number,
  { bus, lifecycle, metrics, onPlace, onApplied }: Parts & Progress,
  signal: AbortSignal,
): Promise<void> {
  const { created: generation, state } = await bus.jsm.streams.info(STREAMS.log);
  let place = await projection.position(partition, generation);
  onPlace(place);
  const about = { projection: projection.name, partition, place };
  if (place > state.last_seq) await tellLoss(bus, lifecycle, about);
  const consumer = await bus.js.consumers.get(STREAMS.log, {
    filter_subjects: storedPartitionSubjects(partition),
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: place + 1,
  });
  // Made anew elsewhere under the same name, the stream has a new generation: that is for us to see.
  const messages = await consumer.consume({
    max_messages: IN_FLIGHT_MAX,
    idle_heartbeat: HEARTBEAT_MS,
    abort_on_missing_resource: true,
  });
  const watch = new PartitionWatch(bus, partition);
  const inbox = new Inbox<JsMsg>();
  const filled = fill(inbox, messages, projection.pace.isUrgent);
  const stop = () => inbox.end();
  void onSilence(messages, stop);
  // A server that was started again has forgotten the consumer.
  const forget = bus.onReconnect(stop);
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const { pace } = projection;
      const taken = await inbox.take(pace.checkPlaceEveryMs, pace.companyMs);
      if (signal.aborted || inbox.ended) return;
      if (taken.length === 0) {
        if ((await projection.position(partition, generation)) !== place) {
          lifecycle.log.info(about, "place moved: reading from there");
          return;
        }
        if (!(await watch.isLeftBehind(place))) continue;
        lifecycle.log.warn({ ...about, place }, "the consumer gives no more: making another");
        return;
      }
      const pending = taken.at(-1)?.info.pending ?? 0;
      const entries = taken.map(toEntry);
      const last = entries.at(-1);
      metrics.waits(partition, entries.length + pending, entries[0]?.storedAtMs);
      const startedAt = performance.now();
      const batch = { partition, after: place, entries, pending };
      const { position, passedOver = 0 } = await applyInSpan(projection, batch, generation);
      if (position !== last?.sequence) {
        metrics.redelivered(entries.filter(({ sequence }) => sequence > position).length);
        return;
      }
      const seconds = (performance.now() - startedAt) / 1_000;
      metrics.applied({ entries: entries.length, passedOver, seconds });
      metrics.waits(partition, pending, last.storedAtMs);
      place = position;
      onPlace(place);
      onApplied();
      await inbox.gather(pace.gatherMs);
    }
  } finally {
    forget();
    signal.removeEventListener("abort", stop);
    inbox.end();
    messages.stop();
    await within(1_000, filled).catch(() => {});
    // One whose server is away goes by itself.
    if (bus.connected()) await within(1_000, consumer.delete()).catch(() => {});
  }
}

/**
 * Calls back when the consumer has been silent for too long, as where the server that held it has
 * died. The client would ask after it too, but wait half a minute before it asks again. Never rejects.
 */
async function onSilence(messages: ConsumerMessages, tell: () => void): Promise<void> {
  try {
    for await (const { type } of messages.status()) if (type === "heartbeats_missed") tell();
  } catch {
    // The consumer is gone, and with it what it could say.
  }
}

/** Moves what arrives into the inbox, no faster than it is taken out. Never rejects. */
async function fill(
  inbox: Inbox<JsMsg>,
  messages: ConsumerMessages,
  isUrgent: (subject: string) => boolean,
): Promise<void> {
  try {
    for await (const message of messages) {
      inbox.put(message, message.data.length, isUrgent(message.subject));
      if (!(await inbox.room(STALL_MS))) break;
    }
  } catch {
    // The consumer or its stream is gone: whoever reads finds out why.
  }
  inbox.end();
}

function toEntry(message: JsMsg): LogEntry {
  return {
    subject: message.subject,
    sequence: message.seq,
    storedAtMs: Number(BigInt(message.info.timestampNanos) / 1_000_000n),
    data: message.data,
    publishedBy: publishedBy(message),
  };
}
