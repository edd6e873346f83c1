/** The parent's end of a crowd process. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { CastProgress } from "../load/cast-plan.js";
import type { FromCrowd, Order, ReportOf, ToCrowd } from "./orders.js";

/** A crowd comes from one address: the limit that is meant for one school would hold it up. */
export const ONE_ADDRESS = {
  JOINS_PER_SECOND_PER_IP: "100000",
  LIVE_SCORES_PER_SECOND_PER_IP: "100000",
  LIVE_SCORES_MAX_PER_IP: "1000000",
};

const MAIN = fileURLToPath(new URL("./crowd-process.js", import.meta.url));

interface Waiting {
  resolve(report: never): void;
  reject(error: Error): void;
  onProgress(progress: CastProgress): void;
}

export class Crowd implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  /** Resolves when the process is up; rejects where it ends before. */
  readonly ready: Promise<void>;

  constructor() {
    this.#child = fork(MAIN, { serialization: "advanced" });
    this.ready = new Promise((resolve, reject) => {
      this.#child.on("message", (message: FromCrowd) => {
        if ("ready" in message) resolve();
        else this.#take(message);
      });
      this.#child.once("exit", (code, signal) => {
        const error = new Error(`a crowd process ended with ${code ?? signal}`);
        reject(error);
        for (const waiting of this.#waiting.values()) waiting.reject(error);
      });
    });
    this.ready.catch(() => {}); // Whoever waits for it, or orders something, is told.
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves with the report. Rejects where the process fails at it, or ends. */
  order<O extends Order>(
    order: O,
    onProgress: (progress: CastProgress) => void = () => {},
  ): Promise<ReportOf<O>> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress });
      this.#send({ id, order }, reject);
    });
  }

  /** Ends the orders in progress early: their reports come at once. */
  stop(): void {
    for (const id of this.#waiting.keys()) this.#send({ id, stop: true }, () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#child.connected) return;
    const gone = once(this.#child, "exit");
    this.#child.disconnect();
    await gone;
  }

  #send(message: ToCrowd, failed: (error: Error) => void): void {
    this.#child.send(message, (error) => {
      if (error) failed(error);
    });
  }

  #take(message: Exclude<FromCrowd, { ready: true }>): void {
    const waiting = this.#waiting.get(message.id);
    if ("progress" in message) {
      waiting?.onProgress(message.progress);
      return;
    }
    this.#waiting.delete(message.id);
    if ("fault" in message) waiting?.reject(new Error(message.fault));
    else waiting?.resolve(message.report as never);
  }
}
