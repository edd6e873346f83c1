/** Reads a room's record and board: at first, after a break, and whenever news seem to be missing. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { anywhereWithin, type Random } from "@fanfare/common/backoff";
import { FreshRead } from "@fanfare/common/fresh-read";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import type { RoomSource } from "./ports.js";

/**
 * A read that has not succeeded by then is tried again; where in between is drawn anew each time, as
 * the rooms of all gateways fail together when NATS is away.
 */
const AGAIN_AFTER_MIN_MS = 1_000;
const AGAIN_AFTER_MAX_MS = 2_000;
/** A phase whose end, the answers' grace included, is this long ago has ended without our hearing of it. */
const OVERDUE_MS = 1_000;

export class RoomReader {
  #source: RoomSource | undefined;
  #first: Promise<void> | undefined;
  readonly #reads = new FreshRead(() => this.#source?.read() ?? Promise.resolve());
  #againAt = Number.NEGATIVE_INFINITY;
  /** A read has begun and not succeeded since: what is known may be old. */
  #mustRead = true;
  /** A read has succeeded once. */
  hasRead = false;

  constructor(private readonly random: Random = Math.random) {}

  follow(source: RoomSource): void {
    this.#source = source;
  }

  /** Resolves once a read has succeeded; what changes later is heard of. Fails with UNAVAILABLE. */
  ready(): Promise<void> {
    if (this.hasRead) return Promise.resolve();
    this.#first ??= this.read().finally(() => {
      this.#first = undefined;
    });
    return this.#first;
  }

  /** Resolves once a read that began after this call is done. Fails with UNAVAILABLE. */
  read(): Promise<void> {
    this.#againAt =
      performance.now() +
      AGAIN_AFTER_MIN_MS +
      anywhereWithin(AGAIN_AFTER_MAX_MS - AGAIN_AFTER_MIN_MS, this.random);
    this.#mustRead = true;
    return this.#reads.begin().then(() => {
      this.hasRead = true;
      this.#mustRead = false;
    });
  }

  /** Whether to read now: a read has failed, or `seemsOld` says that news are missing. */
  isDue(now: number, seemsOld: boolean): boolean {
    return (this.#mustRead || seemsOld) && now >= this.#againAt;
  }

  close(): void {
    this.#source?.close();
    this.#source = undefined;
  }
}

/** Whether the id was taken over by another session; a record begins without its place in the log. */
export function isAnotherSession(before: Session, after: Session | undefined): boolean {
  return !after || (before.logStart !== after.logStart && before.logStart !== 0n);
}

/** Whether the record has missed a change: its phase should be over, on the clock of all pods. */
export function isOverdue(session: Session | undefined, commonNow: number): boolean {
  if (!session?.phaseEndsAt) return false;
  return commonNow - timestampMs(session.phaseEndsAt) > OVERDUE_MS + session.answerGraceMs;
}
