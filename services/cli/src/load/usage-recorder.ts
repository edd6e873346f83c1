/** Reads the services' usage again and again while a load runs, and at the borders of its parts. */
import { pause } from "@fanfare/common/lifecycle";
import { nowMs } from "../crowd/clock.js";
import {
  idlePart,
  type MachineClock,
  machineClock,
  readUsages,
  type Usages,
} from "./service-usage.js";

/** One reading. */
export interface UsageSample {
  /** Seconds since the load began; negative before. */
  second: number;
  usages: Usages;
}

const EVERY_MS = 2_000;
const MS_PER_SECOND = 1_000;

export class UsageRecorder implements AsyncDisposable {
  readonly samples: UsageSample[] = [];
  readonly #abort = new AbortController();
  readonly #machine: MachineClock | undefined = machineClock();
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly pids: ReadonlyMap<string, number>,
    private readonly metricsUrls: readonly string[],
    private readonly beginAt: number,
  ) {}

  get isBlind(): boolean {
    return this.pids.size === 0 && this.metricsUrls.length === 0;
  }

  async read(): Promise<UsageSample> {
    const usages = await readUsages(this.pids, this.metricsUrls);
    const sample = { second: (nowMs() - this.beginAt) / MS_PER_SECOND, usages };
    this.samples.push(sample);
    return sample;
  }

  start(): void {
    if (this.isBlind) return;
    this.#running = (async () => {
      while (!this.#abort.signal.aborted) {
        await pause(EVERY_MS, this.#abort.signal);
        await this.read();
      }
    })();
  }

  /** Safe to repeat. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /** Part of this machine's CPU that was idle since the recorder was made. */
  machineIdle(): number | undefined {
    return idlePart(this.#machine, machineClock());
  }
}
