/**
 * The writer of one lane. Commands of some milliseconds become one entry, published with the expected
 * last sequence of the lane's subject: the broker refuses it where another pod wrote meanwhile, and
 * the commands are decided again on what that pod wrote. A verdict is given only after the entry is
 * stored, so it is true for ever. Protocol: design.md section 3, item 3.
 */
import { randomUUID } from "node:crypto";
import { type Bus, isFull, isWrongLastSequence } from "@fanfare/common/bus";
import { failBusSpan, startBusSpan, withSpan } from "@fanfare/common/bus-spans";
import { ServiceError, unavailable } from "@fanfare/common/errors";
import { FreshRead } from "@fanfare/common/fresh-read";
import { pause, within } from "@fanfare/common/lifecycle";
import { endSpan, type Span } from "@fanfare/common/tracing";
import { LOG_TEMPLATE } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { LaneFold } from "../domain/lane.js";
import { lastSequence, readEntries } from "./lane-reader.js";

/** A publish without an answer is looked up and tried again after this time. */
const PUBLISH_TIMEOUT_MS = 700;
/** After this time a command is refused as retryable (P9). */
const COMMAND_LIMIT_MS = 1_800;
const RETRY_PAUSE_MS = 20;

/** How the changes of an entry are written and read. */
export interface EntryCodec<Change> {
  /** Most commands that one entry holds, so that it stays below the broker's 1 MB at their longest. */
  readonly commandsMax: number;
  encode(entry: { batchId: string; changes: readonly Change[]; closed: boolean }): Uint8Array;
  decode(data: Uint8Array): { changes: readonly Change[]; closed: boolean };
}

export interface LaneCounters {
  /** An entry with so many changes was stored, so long after it was published. */
  entryStored(changes: number, seconds: number): void;
  /** An entry was refused, as another pod wrote first. */
  entryRefused(): void;
  /** An entry got no answer from the log. */
  entryUnanswered(): void;
  /** An entry was refused, as the log holds all that it may. */
  logFull(): void;
}

/** An entry to be published. */
interface Append<Change> {
  changes: readonly Change[];
  closed: boolean;
  deadline: number;
  attempt: number;
  /** What is traced of that which is in it. */
  origins: readonly Span[] | undefined;
}

/** Commands that were given together, and get their verdicts together. */
interface Waiting<Command, Verdict> {
  /** None closes the lane. */
  commands: readonly Command[];
  since: number;
  /** What is traced of those who gave them. */
  span: Span | undefined;
  resolve(verdicts: Verdict[]): void;
  reject(error: unknown): void;
}

export class FencedLane<Command, Change, Verdict, Fold extends LaneFold<Command, Change, Verdict>> {
  #waiting: Waiting<Command, Verdict>[] = [];
  #last = 0;
  #running = false;
  readonly #reads = new FreshRead(() => this.#readOn());

  constructor(
    private readonly bus: Bus,
    readonly subject: string,
    /** Entries before this sequence belong to an earlier session of the same id. */
    private readonly start: number,
    /** Whether no later session of the same id has begun. */
    private readonly isNewest: () => Promise<boolean>,
    readonly fold: Fold,
    private readonly codec: EntryCodec<Change>,
    private readonly counters: LaneCounters,
  ) {}

  /**
   * Verdicts in the order of the commands, once durable or decided by what is durable. Throws
   * UNAVAILABLE (retryable) after 1.8 s. At most codec.commandsMax at once.
   */
  submit(commands: readonly Command[], span?: Span): Promise<Verdict[]> {
    return commands.length === 0 ? Promise.resolve([]) : this.#enqueue(commands, span);
  }

  /** Appends the entry after which the lane takes no change. Safe to repeat, from any pod. */
  async close(): Promise<void> {
    await this.#enqueue([]);
  }

  /**
   * Takes in what other pods have written before this call. Throws UNAVAILABLE, or CONFLICT for a
   * session of before.
   */
  refresh(): Promise<void> {
    return this.#reads.begin();
  }

  #enqueue(commands: readonly Command[], span?: Span): Promise<Verdict[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commands, since: performance.now(), span, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  /** One entry after the other: while one is on its way the next gathers. */
  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const taken = this.#take();
      try {
        await this.#settle(taken);
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
    }
    this.#running = false;
  }

  /** As many of those who wait as one entry holds, and at least the first. */
  #take(): Waiting<Command, Verdict>[] {
    let size = 0;
    let count = 0;
    for (const { commands } of this.#waiting) {
      size += commands.length;
      if (count > 0 && size > this.codec.commandsMax) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #settle(taken: readonly Waiting<Command, Verdict>[]): Promise<void> {
    const deadline = (taken[0]?.since ?? 0) + COMMAND_LIMIT_MS;
    const origins = spansOf(taken);
    let hasRead = false;
    for (let attempt = 0; ; attempt++) {
      const { changes, verdicts, closing, unsure } = this.#decide(taken);
      if (unsure && !hasRead) {
        hasRead = true;
        await this.#readBefore(deadline);
        continue;
      }
      if (changes.length > 0 || closing) {
        const stored = await this.#append({ changes, closed: closing, deadline, attempt, origins });
        if (!stored) continue;
      }
      for (const [index, { resolve }] of taken.entries()) resolve(verdicts[index] ?? []);
      return;
    }
  }

  #decide(taken: readonly Waiting<Command, Verdict>[]) {
    const changes: Change[] = [];
    let closing = false;
    let unsure = false;
    const verdicts = taken.map(({ commands }) => {
      if (commands.length === 0) closing = !this.fold.closed;
      return commands.map((command) => {
        const decided = this.fold.decide(command, changes);
        if (decided.change !== undefined) changes.push(decided.change);
        if (decided.unsure) unsure = true;
        return decided.verdict;
      });
    });
    return { changes, verdicts, closing, unsure };
  }

  /** False where the lane has moved on and the commands must be decided again. */
  async #append(entry: Append<Change>): Promise<boolean> {
    const { changes, closed, deadline, attempt } = entry;
    try {
      const publishedAt = performance.now();
      const sequence = await this.#publish(entry);
      this.fold.apply(changes, { closed, sequence });
      // Another reader may have been here meanwhile, and further.
      this.#last = Math.max(this.#last, sequence);
      this.counters.entryStored(changes.length, (performance.now() - publishedAt) / 1_000);
      return true;
    } catch (error) {
      // That is an answer, and asking again would only keep the log from getting room.
      if (isFull(error)) {
        this.counters.logFull();
        throw new ServiceError(ErrorReason.UNAVAILABLE, "the log is full; try again later", {
          cause: error,
        });
      }
      if (isWrongLastSequence(error)) this.counters.entryRefused();
      else this.counters.entryUnanswered();
      if (performance.now() > deadline) throw unavailable("the log", error);
      if (!isWrongLastSequence(error) || attempt > 2) await pause(RETRY_PAUSE_MS);
      // Where no answer came, the entry may be stored all the same: reading on finds it, and the
      // fence keeps it out if it comes after what is published next.
      await this.#readBefore(deadline).catch((cause: ServiceError) => {
        if (cause.reason === ErrorReason.CONFLICT || performance.now() > deadline) throw cause;
      });
      return false;
    }
  }

  /** Stores an entry and returns its sequence. Whoever reads it finds the span in its headers. */
  async #publish({ changes, closed, deadline, origins }: Append<Change>): Promise<number> {
    const batchId = randomUUID();
    const startedAt = performance.now();
    const work = { verb: "publish", template: LOG_TEMPLATE, startedAt, origins } as const;
    const span = startBusSpan(work);
    try {
      const data = this.codec.encode({ batchId, changes, closed });
      const { seq } = await this.bus.js.publish(this.subject, data, {
        msgID: batchId,
        expect: { lastSubjectSequence: this.#last },
        timeout: Math.min(PUBLISH_TIMEOUT_MS, left(deadline)),
        retries: 0,
        ...withSpan(span),
      });
      span?.setAttribute("fanfare.changes", changes.length);
      endSpan(span);
      return seq;
    } catch (error) {
      // That another pod was quicker is how a fence works.
      if (isWrongLastSequence(error)) endSpan(span, error);
      else failBusSpan(span, work, error);
      throw error;
    }
  }

  /** Reads on for as long as a command may wait. Throws as refresh does. */
  async #readBefore(deadline: number): Promise<void> {
    await within(left(deadline), this.refresh()).catch((error) => {
      throw error instanceof ServiceError ? error : unavailable("the log", error);
    });
  }

  async #readOn(): Promise<void> {
    const to = await lastSequence(this.bus, this.subject);
    // Less than this lane knew: the entries of an earlier session were purged.
    if (to < this.#last && this.#last < this.start) this.#last = to;
    if (to <= this.#last) return;
    // Asked after `to`, so that no entry up to it is a later session's.
    if (to >= this.start && !(await this.isNewest()))
      throw new ServiceError(ErrorReason.CONFLICT, "a new session has this id; ask again");
    const from = Math.max(this.#last + 1, this.start);
    if (to >= from)
      for (const { sequence, data } of await readEntries(this.bus, this.subject, from, to)) {
        if (sequence <= this.#last) continue;
        const { changes, closed } = this.codec.decode(data);
        this.fold.apply(changes, { closed, sequence });
        this.#last = sequence;
      }
    this.#last = Math.max(this.#last, to);
  }
}

function spansOf(waiting: readonly { span: Span | undefined }[]): Span[] | undefined {
  let spans: Span[] | undefined;
  for (const { span } of waiting) {
    if (!span) continue;
    spans ??= [];
    // The joins of one call come one by one.
    if (!spans.includes(span)) spans.push(span);
  }
  return spans;
}

function left(deadline: number): number {
  return Math.max(1, deadline - performance.now());
}
