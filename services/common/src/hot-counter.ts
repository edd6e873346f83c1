/**
 * Counters for paths that run for each answer and each frame. Adding is a sum in a small map (some
 * 10 ns; prom-client's own labelled counter takes 130); what was added comes into prom-client's
 * counter when the page is read.
 */
import { Counter, type Registry } from "prom-client";

export class HotCounter {
  #unread = 0;

  constructor(config: { name: string; help: string; registers: Registry[] }) {
    const take = () => this.#take();
    new Counter({
      ...config,
      collect() {
        this.inc(take());
      },
    });
  }

  add(count = 1): void {
    this.#unread += count;
  }

  #take(): number {
    const taken = this.#unread;
    this.#unread = 0;
    return taken;
  }
}

/** The same with one label, whose values are of a small set. */
export class LabelledHotCounter<Label extends string> {
  #unread = new Map<string, number>();

  /** Values of `from` are there from the start, as 0. */
  constructor(config: {
    name: string;
    help: string;
    label: Label;
    from?: readonly string[];
    registers: Registry[];
  }) {
    const { label, from = [], ...shared } = config;
    for (const value of from) this.#unread.set(value, 0);
    const take = () => this.#take();
    new Counter<string>({
      ...shared,
      labelNames: [label],
      collect() {
        for (const [value, count] of take()) this.inc({ [label]: value }, count);
      },
    });
  }

  add(value: string, count = 1): void {
    this.#unread.set(value, (this.#unread.get(value) ?? 0) + count);
  }

  #take(): ReadonlyMap<string, number> {
    const taken = this.#unread;
    this.#unread = new Map();
    return taken;
  }
}
