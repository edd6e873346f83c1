/**
 * Whether NATS stores what it is given. After a write that failed, as on a full disk, a stream takes
 * nothing more until its server is started again (nats-server 2.14 and newer; in a cluster the whole
 * JetStream of that server is switched off): a publish then gets no answer at all, while every question
 * is answered as before. What tells is a purge that has nothing to purge: it is refused with the cause.
 */
import { BUCKETS, NOTHING_STORED, STREAMS, streamOfBucket } from "@fanfare/proto/addresses";
import { JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import type { Lifecycle } from "./lifecycle.js";
import { repeat } from "./loops.js";
import { NOT_STORED, type StorageFault } from "./storage-faults.js";

/** "Insufficient resources", "insufficient storage resources available". */
const NO_RESOURCES = [10_023, 10_047, NOT_STORED];
/** "JetStream not enabled", "… for account". */
const NOT_ENABLED = [10_076, 10_039];
const NO_SPACE = /no space left|disk quota|insufficient/i;
const ADVICE =
  "make room on the volume of NATS and start nats-server again, which the chart and `fanfare up` do by themselves";

const PROBED = [...Object.values(STREAMS), ...Object.values(BUCKETS).map(streamOfBucket)];
/** All streams are asked once in this time, and at once where a publish got no answer. */
const PROBE_EVERY_MS = 5_000;
/** While something is wrong. */
const PROBE_AGAIN_MS = 500;
/** In a row; a stream that is choosing its leader also has nobody who answers. */
const OFF_AFTER = 2;

/** An entry that NATS can't store now: nothing of it was, and waiting longer does not help. */
export class NotStoredError extends Error {
  override name = "NotStoredError";
  readonly code = NOT_STORED;
  constructor(readonly fault: StorageFault) {
    super(`NATS does not store: ${fault}`);
  }
}

/** A time in which the log took no entry of this process, in ms of `performance.now()`. */
export interface LogOutage {
  beganAt: number;
  endedAt: number;
}

/** An entry that was stored so lately tells that another would be. */
const PROOF_HOLDS_MS = 250;

export class BusStorage {
  #fault: StorageFault | undefined;
  #offs = 0;
  #outageSince: number | undefined;
  #stored = Number.NEGATIVE_INFINITY;
  readonly #outageListeners = new Set<(outage: LogOutage) => void>();
  #wake = () => {};

  constructor(
    private readonly jsm: JetStreamManager,
    private readonly connected: () => boolean,
    private readonly lifecycle: Lifecycle,
  ) {}

  /** Looks for as long as the lifecycle lives. */
  watch(): void {
    const { lifecycle } = this;
    lifecycle.signal.addEventListener("abort", () => this.#wake());
    const turn = async () => {
      await this.look();
      await this.#untilNext();
      return 0;
    };
    void repeat("storage of NATS", turn, { everyMs: PROBE_AGAIN_MS }, lifecycle);
  }

  get fault(): StorageFault | undefined {
    return this.#fault;
  }

  /** For people who operate it; undefined while all is well. */
  advice(): string | undefined {
    const why = {
      full: "its disk is or was full",
      failed: "a write failed",
      off: "JetStream is off",
    };
    return this.#fault && `NATS stores nothing (${why[this.#fault]}): ${ADVICE}`;
  }

  /** Throws NotStoredError where it is known that nothing would be stored. */
  refuse(): void {
    if (this.#fault) throw new NotStoredError(this.#fault);
  }

  /** Something is odd: looks at once. */
  suspect(): void {
    this.#wake();
  }

  /** Calls back when the log takes entries again. */
  onOutage(listener: (outage: LogOutage) => void): void {
    this.#outageListeners.add(listener);
  }

  /** The log has answered: what was begun then is stored, or would be. */
  logAnswered(): void {
    const endedAt = performance.now();
    this.#stored = endedAt;
    const beganAt = this.#outageSince;
    this.#outageSince = undefined;
    if (beganAt === undefined) return;
    for (const listener of this.#outageListeners) listener({ beganAt, endedAt });
  }

  /** An entry of the log that was published then got no answer, or the connection was lost. */
  logFailed(beganAt: number): void {
    this.#outageSince = Math.min(beganAt, this.#outageSince ?? beganAt);
    this.suspect();
  }

  /** Whether the log takes entries now; asks it where nothing was stored just before. Never rejects. */
  async takesEntries(): Promise<boolean> {
    const askedAt = performance.now();
    if (this.#outageSince === undefined && askedAt - this.#stored < PROOF_HOLDS_MS) return true;
    const found = this.connected() ? await this.#probe(STREAMS.log) : "unknown";
    this.#noteProbe(found, askedAt);
    return found === "well";
  }

  #noteProbe(found: StorageFault | "well" | "unknown", askedAt: number): void {
    if (found === "well") this.logAnswered();
    else if (this.#outageSince === undefined) this.#outageSince = askedAt;
  }

  /** Asks each stream. Never rejects. */
  async look(): Promise<void> {
    if (!this.connected()) return;
    const askedAt = performance.now();
    const found = await Promise.all(PROBED.map((stream) => this.#probe(stream)));
    this.#noteProbe(found[PROBED.indexOf(STREAMS.log)] ?? "unknown", askedAt);
    const isOff = found.includes("off");
    this.#offs = isOff ? this.#offs + 1 : 0;
    const fault =
      found.find((each) => each === "full" || each === "failed") ??
      (isOff && this.#offs >= OFF_AFTER ? "off" : undefined);
    // Where nobody answered, nothing is known.
    if (fault || (!isOff && found.some((each) => each === "well"))) this.#note(fault);
  }

  async #probe(stream: string): Promise<StorageFault | "well" | "unknown"> {
    try {
      await this.jsm.streams.purge(stream, { filter: NOTHING_STORED });
      return "well";
    } catch (error) {
      return faultOf(error) ?? "unknown";
    }
  }

  #note(fault: StorageFault | undefined): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    const { log } = this.lifecycle;
    if (fault) log.error({ fault, advice: ADVICE }, "NATS stores nothing");
    else log.info("NATS stores again");
  }

  #untilNext(): Promise<void> {
    const { signal } = this.lifecycle;
    // Pods that look at the same moment would ask the same streams together.
    const isUnwell = this.#fault || this.#offs > 0 || this.#outageSince !== undefined;
    const waitMs = isUnwell ? PROBE_AGAIN_MS : PROBE_EVERY_MS;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs * (0.75 + Math.random() / 2));
      this.#wake = () => {
        clearTimeout(timer);
        // A burst of failures is one reason to look.
        setTimeout(resolve, signal.aborted ? 0 : 50);
      };
    });
  }
}

/** What an error of JetStream says about its storage; undefined where that is nothing. */
function faultOf(error: unknown): StorageFault | undefined {
  // Nobody serves JetStream's questions; the client's class for it is not exported.
  if ((error as Error).name === "JetStreamNotEnabled") return "off";
  if (!(error instanceof JetStreamApiError)) return undefined;
  if (NOT_ENABLED.includes(error.code)) return "off";
  if (NO_RESOURCES.includes(error.code) || NO_SPACE.test(error.message)) return "full";
  // "Stream purge failed", with the write error of the stream.
  return error.code === 10_051 ? "failed" : undefined;
}
