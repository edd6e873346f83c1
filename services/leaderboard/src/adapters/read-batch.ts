/** Sorts the entries of a batch: operations for the boards, letters for what can't be applied. */
import type { Letter } from "@fanfare/common/dead-letters";
import type { Batch } from "@fanfare/common/partition-reader";
import { type Operation, readEntry } from "../domain/read-entry.js";
import type { PlacedOperation } from "./script-calls.js";

/** What can be read of a batch, in order, and letters about the rest. */
export function readBatch({ entries }: Batch): {
  operations: PlacedOperation[];
  letters: Letter[];
} {
  const operations: PlacedOperation[] = [];
  const letters: Letter[] = [];
  for (const entry of entries) {
    const read = readEntry(entry);
    if (read.kind === "unreadable") letters.push({ entry, fault: read.fault, reason: read.reason });
    else operations.push(place(read, entry.sequence, entry.storedAtMs));
  }
  return { operations, letters };
}

function place(operation: Operation, sequence: number, storedAtMs: number): PlacedOperation {
  return Object.assign(operation, { sequence, storedAtMs });
}
