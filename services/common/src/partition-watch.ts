/**
 * Whether an idle reader really has read its partition to the end. A consumer lives on one server of a
 * cluster and knows that server's copy of the log alone: where that copy no longer grows (a replica that
 * can't recover), its heartbeats go on and nothing else does, for ever.
 */
import { STREAMS, storedPartitionSubjects } from "@fanfare/proto/addresses";
import type { Bus } from "./bus.js";

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
      last_by_subj: storedPartitionSubjects(this.partition),
    });
    const before = this.#behindAt;
    this.#behindAt = last && last.seq > place ? place : undefined;
    return before === place && this.#behindAt === place;
  }
}
