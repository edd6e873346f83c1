/**
 * Closes a question when everybody who is there has answered, as the gateways say it. Like the round
 * clock it has no leader: every pod hears the same and tries the same compare-and-set, one after the
 * other. Where no pod is sure, the clock decides.
 */
import { fromJsonString } from "@bufbuild/protobuf";
import type { Bus } from "@fanfare/common/bus";
import { ATTENDANCE_SUBJECT } from "@fanfare/proto/addresses";
import { AttendanceSchema } from "@fanfare/proto/events/v1/events";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import { AttendanceBook } from "./domain/attendance.js";
import { closeAnswered, closesWhenAllAnswered, openForMs } from "./domain/session.js";
import { type ClockParts, TURN_MS } from "./round-clock.js";

const LOOK_EVERY_MS = 100;
/** The last one to answer sees that it was received before the question goes. */
const PAUSE_MS = 500;

type Parts = Omit<ClockParts, "logs" | "idleMs"> & { bus: Bus };

/** A session's round of which a gateway says that all have answered. */
interface Candidate {
  logStart: bigint;
  round: number;
  /** Since when this pod is sure that everybody has; undefined while it is not. */
  sureSince: number | undefined;
}

export class EarlyClose {
  readonly #book = new AttendanceBook(performance.now());
  readonly #candidates = new Map<string, Candidate | undefined>();
  #looking = false;

  private constructor(private readonly parts: Parts) {}

  static start(parts: Parts): void {
    const { bus, lifecycle } = parts;
    const close = new EarlyClose(parts);
    const hearing = bus.listen(ATTENDANCE_SUBJECT, (message) => {
      const said = fromJsonString(AttendanceSchema, message.string(), {
        ignoreUnknownFields: true,
      });
      for (const sessionId of close.#book.hear(said, performance.now()))
        if (!close.#candidates.has(sessionId)) close.#candidates.set(sessionId, undefined);
    });
    const stop = bus.onReconnect(() => close.#book.listenAnew(performance.now()));
    const timer = setInterval(() => void close.#look(), LOOK_EVERY_MS);
    lifecycle.push("early close", () => {
      clearInterval(timer);
      stop();
      hearing.unsubscribe();
    });
  }

  /** Never rejects: a pod that can't close a round leaves it to the others and to the clock. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    this.#book.sweep(performance.now());
    const looks = [...this.#candidates.keys()].map((sessionId) => this.#consider(sessionId));
    for (const look of await Promise.allSettled(looks))
      if (look.status === "rejected")
        this.parts.lifecycle.log.debug(
          { err: look.reason },
          "round not closed early; trying again",
        );
    this.#looking = false;
  }

  async #consider(sessionId: string): Promise<void> {
    const { store, clock, presence, lifecycle } = this.parts;
    const session = (await store.find(sessionId))?.session;
    // Where the gateway has heard more than this pod, it says so again with all that it has.
    if (!session || !closesWhenAllAnswered(session)) {
      this.#candidates.delete(sessionId);
      return;
    }
    const now = performance.now();
    const { logStart, round } = session;
    const known = this.#candidates.get(sessionId);
    const isSame = known?.logStart === logStart && known.round === round;
    const candidate = isSame ? known : { logStart, round, sureSince: undefined };
    this.#candidates.set(sessionId, candidate);
    const openMs = openForMs(session, clock.now());
    const sureSince = candidate.sureSince ?? now;
    const isSure = (since: number) => this.#book.allAnswered(session, openMs, { since, now });
    if (!isSure(Number.NEGATIVE_INFINITY)) candidate.sureSince = undefined;
    else candidate.sureSince = sureSince;
    const turnMs = presence.rank(sessionId) * TURN_MS;
    const isDue = candidate.sureSince !== undefined && now - sureSince >= PAUSE_MS + turnMs;
    // Who came in elsewhere meanwhile has been told of.
    if (isDue && isSure(sureSince) && !lifecycle.signal.aborted) await this.#close(session);
  }

  async #close(session: Session): Promise<void> {
    const { store, clock, metrics } = this.parts;
    let isOurs = false;
    await store.update(session.sessionId, (stored) => {
      const outcome = closeAnswered(stored, clock.now(), session);
      isOurs = outcome !== "unchanged";
      return outcome;
    });
    if (isOurs) metrics.closedEarly.inc();
  }
}
