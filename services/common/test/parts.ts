/** What the tests of the chassis share: a lifecycle whose log can be read, and waiting with a limit. */
import { pino } from "pino";
import { Lifecycle } from "../src/lifecycle.js";
import type { Logger } from "../src/log.js";
import { holdsWithin } from "../src/servers/wait.js";

export interface LogLine {
  level: number;
  msg: string;
  [field: string]: unknown;
}

/** A logger that keeps its lines. */
export function recordingLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as LogLine);
  return { log: pino({ level: "trace" }, { write }), lines };
}

export function newLifecycle(): { lifecycle: Lifecycle; lines: LogLine[] } {
  const { log, lines } = recordingLog();
  return { lifecycle: new Lifecycle(log), lines };
}

/** Waits until `condition` holds; fails with `what` where it does not in time. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 15_000,
): Promise<void> {
  if (!(await holdsWithin(limitMs, condition)))
    throw new Error(`not within ${limitMs} ms: ${what}`);
}
