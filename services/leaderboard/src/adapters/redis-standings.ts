/**
 * The standings projection: entries of the log become boards in Redis. A batch and the place behind
 * it are one atomic step of apply-entries.lua, so a crash, a replay or a second reader repeats and
 * skips nothing.
 */
import type { Applied, Batch, Projection } from "@fanfare/common/partition-reader";
import type { Span } from "@fanfare/common/tracing";
import { readStoredSubject, redisKeys } from "@fanfare/proto/addresses";
import { EntryScript, type EntryScriptParts } from "./entry-script.js";
import { partitionKeys, prefixOf } from "./partition-keys.js";
import { readBatch } from "./read-batch.js";
import { loadScript, runScript } from "./redis-scripts.js";
import { cutCalls, type PlacedOperation } from "./script-calls.js";

const DROP = loadScript("drop-partition");
/** Sessions that one call of drop-partition.lua drops. */
const CALL_DROPS_MAX = 20;

/** Everybody's result waits for these. */
function endsRound(subject: string): boolean {
  const address = readStoredSubject(subject);
  if (typeof address === "string") return false;
  return address.kind === "roundClosed" || address.kind === "sessionEnded";
}

/** How far a partition has been read. */
export interface Progress {
  /** Entries that are still to be read. */
  pending: number;
  /** When the log stored what was read last. */
  storedAtMs: number;
  /** What was read: changes of all boards. */
  changes: number;
  /** The span in which a session's board changed, where an entry of it was traced. */
  spans?: ReadonlyMap<string, Span> | undefined;
}

/** Learns what the projection has done. */
export interface StandingsObserver {
  /** Boards have changed, each since the given log time. */
  changed(partition: number, since: ReadonlyMap<string, number>, progress: Progress): void;
  /** Reading goes on from a place that somebody else reached: what they showed is not known. */
  takenOver(partition: number): void;
  /** All there was has been read. */
  idle(partition: number): void;
  /** These sessions have a newly closed round. */
  roundsClosed(sessionIds: readonly string[]): void;
}

export interface StandingsParts extends EntryScriptParts {
  observer: StandingsObserver;
}

/**
 * How the boards lie in Redis (addresses.ts, apply-entries.lua). One of another form is dropped and read
 * again from the log, so a release may change it: count it up then. While pods of both run, a partition
 * that changes hands is read again each time.
 */
const FORM = 5;

export class RedisStandings implements Projection {
  readonly name = "leaderboard";
  readonly pace = { gatherMs: 100, companyMs: 25, checkPlaceEveryMs: 500, isUrgent: endsRound };
  /** The place that this process knows of; differs from Redis' where somebody else was at work. */
  readonly #places = new Map<number, number>();
  /** When the rebuilds that go on here began, by partition. */
  readonly #rebuilding = new Map<number, number>();

  readonly #script: EntryScript;

  constructor(private readonly parts: StandingsParts) {
    this.#script = new EntryScript(parts);
  }

  async position(partition: number, logGeneration: string): Promise<number> {
    const generation = withForm(logGeneration);
    const key = redisKeys.position(partition);
    const [held, sequence, dropping, epoch] = await this.parts.redis.hmget(
      key,
      "generation",
      "sequence",
      "dropping",
      "epoch",
    );
    const isOther = held !== null && held !== undefined && held !== generation;
    if (dropping || isOther) {
      this.#rebuilding.set(partition, performance.now());
      await this.#drop(partition, generation);
      if (isOther) this.#countRebuild(partition, "generation");
      return this.#standAt(partition, 0);
    }
    const place = Number(sequence ?? 0);
    const known = this.#places.get(partition) ?? 0;
    if (place < known) this.#rebuilding.set(partition, performance.now());
    // Somebody else has read on meanwhile.
    if (place > known) this.#rebuilding.delete(partition);
    // A dropped partition keeps its epoch; that rebuild was counted by whoever asked for it.
    if (place < known && (place > 0 || !epoch))
      this.#countRebuild(partition, place === 0 ? "empty" : "behind");
    return this.#standAt(partition, place);
  }

  async apply(batch: Batch, generation: string): Promise<Applied> {
    const { deadLetters } = this.parts;
    const { operations, letters } = readBatch(batch);
    if (letters.length > 0) await deadLetters.publish(letters, generation);
    let place = batch.after;
    let applied = place;
    let passedOver = letters.length;
    try {
      for (const call of cutCalls(operations, batch.entries.at(-1)?.sequence ?? place)) {
        const where = { batch, after: place, generation, boards: withForm(generation) };
        const done = await this.#script.apply(call, where);
        place = done.place;
        passedOver += done.passedOver;
        if (place !== call.last) break;
        applied = place;
      }
    } finally {
      // Also what was done before a fault is done.
      if (applied > batch.after) this.#tell(batch, operations, applied);
    }
    return { position: place, passedOver };
  }

  /** Drops the partition's boards and its place; whoever reads it begins anew. Safe to repeat. */
  async rebuild(partition: number): Promise<void> {
    await this.#drop(partition, "");
    this.#countRebuild(partition, "requested");
  }

  /** Notes that the batch has been applied up to a place, and tells whom it concerns. */
  #tell(batch: Batch, operations: readonly PlacedOperation[], applied: number): void {
    const { observer } = this.parts;
    const { partition, pending } = batch;
    this.#places.set(partition, applied);
    const entries = batch.entries.filter(({ sequence }) => sequence <= applied);
    const since = new Map<string, number>();
    const closed: string[] = [];
    let changes = 0;
    for (const { sequence, sessionId, storedAtMs, kind } of operations) {
      if (sequence > applied) break;
      changes++;
      if (!since.has(sessionId)) since.set(sessionId, storedAtMs);
      if (kind === "closed" || kind === "ended") closed.push(sessionId);
    }
    const storedAtMs = entries.at(-1)?.storedAtMs ?? 0;
    const spans = tracedSessions(batch, operations, applied);
    observer.changed(partition, since, { pending, storedAtMs, changes, spans });
    if (pending === 0) this.#caughtUp(partition);
    if (closed.length > 0) observer.roundsClosed(closed);
  }

  async #drop(partition: number, wantedGeneration: string): Promise<void> {
    const call = (how: string) =>
      runScript(this.parts.redis, DROP, partitionKeys(partition), [
        prefixOf(partition),
        how,
        CALL_DROPS_MAX,
        wantedGeneration,
      ]);
    let more = await call("begin");
    while (more === 1) more = await call("continue");
  }

  /** A place that is still ours is asked for when there is nothing to read. */
  #standAt(partition: number, place: number): number {
    if (this.#places.get(partition) === place) {
      this.parts.observer.idle(partition);
      this.#caughtUp(partition);
    } else this.parts.observer.takenOver(partition);
    this.#places.set(partition, place);
    return place;
  }

  #caughtUp(partition: number): void {
    const begunAt = this.#rebuilding.get(partition);
    if (begunAt === undefined) return;
    this.#rebuilding.delete(partition);
    this.parts.metrics.rebuildSeconds.observe((performance.now() - begunAt) / 1_000);
  }

  #countRebuild(partition: number, reason: "requested" | "empty" | "behind" | "generation"): void {
    this.parts.metrics.rebuilds.inc({ reason });
    this.parts.log.warn({ partition, reason }, "boards are built again from the log");
  }
}

function withForm(generation: string): string {
  return `${generation} ${FORM}`;
}

/** The sessions that the traced entries of a batch are about, each with the batch's span. */
function tracedSessions(
  { span, entries }: Batch,
  operations: readonly PlacedOperation[],
  applied: number,
): ReadonlyMap<string, Span> | undefined {
  if (!span) return undefined;
  const traced = new Set<number>();
  for (const { sequence, publishedBy } of entries)
    if (publishedBy && sequence <= applied) traced.add(sequence);
  const spans = new Map<string, Span>();
  for (const { sequence, sessionId } of operations)
    if (traced.has(sequence)) spans.set(sessionId, span);
  return spans;
}
