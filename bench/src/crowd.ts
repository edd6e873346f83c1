/** The bench's end of a crowd process. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Order, Report } from "./crowd-process.js";

/** A crowd comes from one address: the limits that are meant for one school would hold it up. */
export const ONE_ADDRESS = {
  gateway: { JOINS_PER_SECOND_PER_IP: "100000" },
};

export class Crowd implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (report: Report) => void>();
  #next = 0;

  constructor() {
    const main = fileURLToPath(new URL("./crowd-process.js", import.meta.url));
    this.#child = fork(main, { serialization: "advanced" });
    this.#child.on("message", ({ id, report }: { id: number; report: Report }) => {
      this.#waiting.get(id)?.(report);
      this.#waiting.delete(id);
    });
  }

  order(order: Order): Promise<Report> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, order });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.disconnect();
    await new Promise((resolve) => this.#child.once("exit", resolve));
  }
}
