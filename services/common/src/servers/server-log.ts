/** A server's output goes straight to a file, so that it neither blocks on us nor dies with us. */
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";

const LOG_BYTES_MAX = 16 * 1024 * 1024;
const TAIL_BYTES_MAX = 32 * 1024;
const TAIL_LINES_MAX = 20;

export interface ServerLog {
  /** For the child's standard output and error; close it once the child has it. */
  descriptor: number;
  /** The last lines of what was written since the log was opened. */
  lastLines(): string[];
}

/** Opens a log for appending; one that grew too large is set aside as `<path>.1` first. */
export function openServerLog(path: string): ServerLog {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
  const descriptor = openSync(path, "a");
  const start = fstatSync(descriptor).size;
  return { descriptor, lastLines: () => lastLinesSince(path, start) };
}

function lastLinesSince(path: string, start: number): string[] {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return []; // The folder may be gone by now; the lines are only help.
  }
  try {
    const end = fstatSync(descriptor).size;
    const from = Math.max(start, end - TAIL_BYTES_MAX);
    const bytes = Buffer.alloc(Math.max(0, end - from));
    const count = readSync(descriptor, bytes, 0, bytes.length, from);
    const lines = bytes.toString("utf8", 0, count).trimEnd().split("\n");
    return lines.filter((line) => line.trim() !== "").slice(-TAIL_LINES_MAX);
  } finally {
    closeSync(descriptor);
  }
}
