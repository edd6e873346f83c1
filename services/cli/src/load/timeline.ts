/** What all processes of a load tell, second by second, as one. */
import { Histogram } from "../crowd/histogram.js";
import type { CastProgress, Counts } from "./cast-plan.js";
import { noCounts } from "./counts.js";

/** One second over all processes. */
export interface Second {
  second: number;
  sockets: number;
  counts: Counts;
  ackP50Ms: number;
  ackP99Ms: number;
  connectP99Ms: number;
  /** Part of a core that the busiest process used. */
  busy: number;
}

interface Sum extends Omit<Second, "ackP50Ms" | "ackP99Ms" | "connectP99Ms"> {
  ack: Histogram;
  connect: Histogram;
}

export class Timeline {
  readonly #seconds = new Map<number, Sum>();
  /** Parts of a core, by process. */
  readonly #busy = new Map<number, number[]>();
  readonly #total = noCounts();

  take(process: number, progress: CastProgress): void {
    const { second, sockets, counts, ack, connect, busy } = progress;
    const sum = this.#seconds.get(second) ?? {
      second,
      sockets: 0,
      counts: noCounts(),
      ack: new Histogram(),
      connect: new Histogram(),
      busy: 0,
    };
    this.#seconds.set(second, sum);
    sum.sockets += sockets;
    for (const name of Object.keys(counts) as (keyof Counts)[]) {
      sum.counts[name] += counts[name];
      this.#total[name] += counts[name];
    }
    sum.ack.merge(ack);
    sum.connect.merge(connect);
    sum.busy = Math.max(sum.busy, busy);
    const busySeconds = this.#busy.get(process) ?? [];
    this.#busy.set(process, busySeconds);
    busySeconds.push(busy);
  }

  /** Counts since the beginning. */
  get total(): Readonly<Counts> {
    return this.#total;
  }

  seconds(): Second[] {
    return this.#sorted().map(toSecond);
  }

  /** The last second that every process has told, or the one before. */
  last(): Second | undefined {
    const sorted = this.#sorted();
    const sum = sorted.at(-2) ?? sorted.at(-1);
    return sum && toSecond(sum);
  }

  /** Of the busiest process, the part of a core that it exceeded in 5 % of its seconds. */
  busyP95(): number {
    const worst = [...this.#busy.values()].map((all) => {
      const sorted = all.toSorted((a, b) => a - b);
      return sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)] ?? 0;
    });
    return Math.max(0, ...worst);
  }

  #sorted(): Sum[] {
    return [...this.#seconds.values()].sort((a, b) => a.second - b.second);
  }
}

function toSecond({ second, sockets, counts, ack, connect, busy }: Sum): Second {
  return {
    second,
    sockets,
    counts,
    ackP50Ms: ack.at(0.5),
    ackP99Ms: ack.at(0.99),
    connectP99Ms: connect.at(0.99),
    busy,
  };
}
