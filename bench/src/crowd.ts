/** The bench's end of a crowd process. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Order, Report } from "./crowd-process.js";

/** A crowd comes from one address: the limit that is meant for one school would hold it up. */
export const ONE_ADDRESS = { JOINS_PER_SECOND_PER_IP: "100000" };

/** A core's share from which the crowd, not the server, may have set the pace. */
const BUSY_SHARE = 0.8;
const LATE_MS = 10;

interface Waiting {
  resolve(report: Report): void;
  reject(error: Error): void;
}

export class Crowd implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor() {
    const main = fileURLToPath(new URL("./crowd-process.js", import.meta.url));
    this.#child = fork(main, { serialization: "advanced" });
    this.#child.on("message", ({ id, report }: { id: number; report: Report }) => {
      this.#waiting.get(id)?.resolve(report);
      this.#waiting.delete(id);
    });
    this.#child.once("exit", (code) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`a crowd process ended with ${code}`));
    });
  }

  order(order: Order): Promise<Report> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, order }, (error) => {
        if (error) reject(error);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#child.connected) return;
    const gone = once(this.#child, "exit");
    this.#child.disconnect();
    await gone;
  }
}

/** Says so where times may be the crowd's own. */
export function crowdNote(reports: readonly Report[]): string {
  const busy = Math.max(...reports.map(({ cpuSeconds, wallSeconds }) => cpuSeconds / wallSeconds));
  const late = Math.max(...reports.map(({ lateMs }) => lateMs));
  const limits = busy > BUSY_SHARE || late > LATE_MS ? "it was a bottleneck" : "not a bottleneck";
  return `the crowd used ${Math.round(busy * 100)} % of a core at most, p99 ${late.toFixed(1)} ms late: ${limits}`;
}
