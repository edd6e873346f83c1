/** A projection in memory, as true to its word as Redis and PostgreSQL, and as moody as a test wants it. */
import { PARTITIONS } from "@fanfare/proto/addresses";
import type { Applied, Batch, Projection } from "../src/partition-reader.js";

interface Kept {
  generation: string;
  position: number;
  /** Every sequence that was applied, in order. */
  sequences: number[];
}

export class MemoryProjection implements Projection {
  readonly name = "memory";
  readonly pace = { gatherMs: 0, companyMs: 0, checkPlaceEveryMs: 500, isUrgent: () => false };
  readonly #kept = new Map<number, Kept>();
  /** Batches that were refused as they did not follow the place. */
  refusals = 0;
  batches = 0;
  /** Neither says its place nor takes anything. */
  isAway = false;
  /** Entries of each batch that it says nobody can read. */
  passedOver = 0;
  /** Called before each batch; what it throws fails the batch, true refuses it. */
  before: (batch: Batch) => Promise<boolean> | boolean = () => false;

  async position(partition: number, generation: string): Promise<number> {
    this.#mustBeThere();
    return this.#of(partition, generation).position;
  }

  async apply(batch: Batch, generation: string): Promise<Applied> {
    this.#mustBeThere();
    const refuses = await this.before(batch);
    const kept = this.#of(batch.partition, generation);
    if (refuses || batch.after !== kept.position) {
      this.refusals++;
      return { position: kept.position };
    }
    this.batches++;
    for (const { sequence } of batch.entries) kept.sequences.push(sequence);
    kept.position = batch.entries.at(-1)?.sequence ?? kept.position;
    return { position: kept.position, passedOver: this.passedOver };
  }

  #mustBeThere(): void {
    if (this.isAway) throw new Error("the store is away");
  }

  /** What FLUSHALL does. */
  forget(): void {
    this.#kept.clear();
  }

  /** What has been applied, by partition. */
  sequences(): number[][] {
    return Array.from({ length: PARTITIONS }, (_, i) => this.#kept.get(i)?.sequences ?? []);
  }

  count(): number {
    return this.sequences().reduce((sum, { length }) => sum + length, 0);
  }

  #of(partition: number, generation: string): Kept {
    let kept = this.#kept.get(partition);
    if (kept?.generation !== generation) {
      kept = { generation, position: 0, sequences: [] };
      this.#kept.set(partition, kept);
    }
    return kept;
  }
}
