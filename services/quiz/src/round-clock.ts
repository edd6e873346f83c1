/**
 * The clock that moves sessions on. It has no leader: every pod knows every deadline and tries the
 * same compare-and-set, in an order that rendezvous hashing gives each session; one wins, the others
 * see that it was done. A pod that dies delays a phase by the pause to the next in order.
 */

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { anywhereWithin, Backoff, type BackoffOptions, type Random } from "@fanfare/common/backoff";
import { isWrongLastSequence } from "@fanfare/common/bus";
import type { Clock } from "@fanfare/common/bus-clock";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import { OutageLog } from "@fanfare/common/outage-log";
import type { Presence } from "@fanfare/common/presence";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import { giveBack, type Outage } from "./domain/outage.js";
import type { LogHealth, SessionLogs, SessionStore, StoredSession } from "./domain/ports.js";
import {
  abandon,
  abandonedAt,
  dueAt,
  HALF_MADE_MS,
  isOver,
  reveal,
  tick,
} from "./domain/session.js";
import type { QuizMetrics } from "./metrics.js";

/** Head start of each pod before the next in order. */
export const TURN_MS = 60;
/** Sessions whose phases could not be ended while NATS was away do not all come back at once. */
const RETRY: BackoffOptions = { firstMs: 500, maxMs: 1_000 };
/** Pods and sessions try within this time once NATS is back. */
const RETRY_NOW_SPREAD_MS = 150;
/** Others look after an ended session this much later. */
const END_CHECK_MS = 1_500;
const END_RETRY: BackoffOptions = { firstMs: END_CHECK_MS, maxMs: 30_000 };
/** Pods further behind in the order look at the same time as this one. */
const END_TURNS_MAX = 2;
/** When nobody took a half-made record over, it goes. */
const CLEAR_AWAY_MS = 3 * HALF_MADE_MS;
/** setTimeout's own bound is 2^31 ms. */
const TIMER_MAX_MS = 3_600_000;

export interface ClockParts {
  store: SessionStore;
  logs: SessionLogs;
  clock: Clock;
  presence: Presence;
  metrics: QuizMetrics;
  lifecycle: Lifecycle;
  /** A session that waits for somebody for so long is ended, in ms. */
  idleMs: number;
  /** Without it no time is given back. */
  health?: LogHealth;
  /** Calls back when NATS is back: what waits for it is tried at once. */
  onReconnect?: (listener: () => void) => () => void;
  /** Draws the waits before another try. */
  random?: Random;
}

export class RoundClock {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** Sessions whose phase could not be ended, with the next try. */
  readonly #failing = new Map<string, () => void>();
  /** Ends are stored one after the other: a pod that starts may find thousands. */
  #endings: Promise<void> = Promise.resolve();

  readonly #outages: OutageLog;

  private constructor(private readonly parts: ClockParts) {
    this.#outages = new OutageLog(parts.lifecycle);
  }

  static start(parts: ClockParts): RoundClock {
    const clock = new RoundClock(parts);
    const stopListening = parts.store.onChange((stored) => clock.#schedule(stored));
    const stopRetrying = parts.onReconnect?.(() => clock.#retryNow());
    const stopGiving = parts.health?.onOver((outage) => clock.#giveBackAll(outage));
    const stop = () => {
      stopListening();
      stopRetrying?.();
      stopGiving?.();
    };
    for (const stored of parts.store.all()) clock.#schedule(stored);
    parts.lifecycle.push("round clock", () => {
      stop();
      for (const timer of clock.#timers.values()) clearTimeout(timer);
    });
    return clock;
  }

  #schedule(stored: StoredSession): void {
    const { session } = stored;
    const { sessionId } = session;
    clearTimeout(this.#timers.get(sessionId));
    this.#timers.delete(sessionId);
    this.#failing.delete(sessionId);
    if (this.parts.lifecycle.signal.aborted) return;
    if (session.logStart === 0n) this.#clearAway(stored);
    else if (isOver(session)) this.#afterEnd(session);
    else this.#await(session);
  }

  #await(session: Session): void {
    const { logs, presence, clock } = this.parts;
    if (session.phase === Phase.REVEAL) logs.known(session)?.forgetRoundsBefore(session.round);
    const due = this.#dueAt(session);
    if (due === undefined) return;
    this.#at(session, due - clock.now() + presence.rank(session.sessionId) * TURN_MS);
  }

  /** Not all at the same moment, of this pod nor of all. */
  #retryNow(): void {
    for (const [sessionId, act] of [...this.#failing])
      if (this.#timers.has(sessionId)) {
        clearTimeout(this.#timers.get(sessionId));
        this.#after(sessionId, anywhereWithin(RETRY_NOW_SPREAD_MS, this.parts.random), act);
      }
  }

  #at(session: Session, delayMs: number, backoff = this.#backoff(RETRY)): void {
    this.#after(session.sessionId, delayMs, () => void this.#act(session, backoff));
  }

  /** One timer for each session; none is left of one that has nothing to wait for. */
  #after(sessionId: string, delayMs: number, act: () => void): void {
    if (this.parts.lifecycle.signal.aborted) return;
    const fire = () => {
      this.#timers.delete(sessionId);
      this.#failing.delete(sessionId);
      act();
    };
    const wait = Math.min(Math.max(delayMs, 0), TIMER_MAX_MS);
    this.#timers.set(sessionId, setTimeout(fire, wait));
  }

  #backoff(options: BackoffOptions): Backoff {
    return new Backoff({ ...options, random: this.parts.random });
  }

  async #act(session: Session, backoff: Backoff): Promise<void> {
    const { store, clock, lifecycle, metrics } = this.parts;
    if (lifecycle.signal.aborted) return;
    const due = this.#dueAt(session) ?? 0;
    if (clock.now() < due) return this.#at(session, due - clock.now());
    try {
      const stored = await store.find(session.sessionId);
      // Somebody else was quicker: their change has set the next timer.
      if (!stored || !isSamePhase(stored.session, session)) return;
      if (session.phase === Phase.CLOSING) await this.#close(stored.session);
      else await this.#tick(stored.session);
      metrics.clockLate.observe(Math.max(0, clock.now() - due) / 1_000);
    } catch (err) {
      this.#outages.onFault(err, "phase not ended; trying again");
      // A change that was heard of meanwhile has set the next timer.
      if (this.#timers.has(session.sessionId)) return;
      this.#at(session, backoff.next(), backoff);
      this.#failing.set(session.sessionId, () => void this.#act(session, backoff));
    }
  }

  /** Rounds that could take no answers end later. */
  #giveBackAll(outage: Outage): void {
    for (const { session } of this.parts.store.all())
      if (giveBack(session, outage) !== "unchanged")
        setTimeout(
          () => void this.#giveBack(session, outage),
          anywhereWithin(RETRY_NOW_SPREAD_MS, this.parts.random),
        ).unref();
  }

  /** Whether the round got time. One that fails is tried again when the round should end. */
  async #giveBack({ sessionId }: Session, outage: Outage): Promise<boolean> {
    const { store, metrics } = this.parts;
    let backMs = 0;
    const change = (now: Session) => {
      const longer = giveBack(now, outage);
      backMs = longer === "unchanged" ? 0 : longer.givenBackMs - now.givenBackMs;
      return longer;
    };
    try {
      await store.update(sessionId, change);
    } catch (err) {
      this.#outages.onFault(err, "time not given back; tried again at the end of the round");
      return false;
    }
    metrics.givenBack.inc(backMs / 1_000);
    return backMs > 0;
  }

  async #tick(session: Session): Promise<void> {
    const { store, clock, metrics, idleMs, health } = this.parts;
    if (health && session.phase === Phase.OPEN) {
      // Whoever closes while the log is away takes from the players what they can't use.
      await health.ensure();
      const { last } = health;
      // The change sets the next timer.
      const isDue = last && giveBack(session, last) !== "unchanged";
      if (isDue && (await this.#giveBack(session, last))) return;
    }
    const isIdle = dueAt(session) === undefined;
    const next = await store.update(session.sessionId, (now, quiz) =>
      isIdle ? abandon(now, clock.now(), idleMs) : tick(now, quiz, clock.now()),
    );
    if (isIdle && !isSamePhase(next, session)) metrics.abandoned.inc();
    // Not due after all: the common clock was set back since the timer began.
    const due = this.#dueAt(next);
    if (due !== undefined && isSamePhase(next, session)) this.#at(next, due - clock.now());
  }

  #dueAt(session: Session): number | undefined {
    return dueAt(session) ?? abandonedAt(session, this.parts.idleMs);
  }

  /** Closes the log of the round first; only then the record may tell the answer. */
  async #close(session: Session): Promise<void> {
    const { store, logs, clock } = this.parts;
    const choices = session.question?.options.map(({ choice }) => choice) ?? [];
    const result = await logs.of(session).closeRound(session.round, choices);
    await store.update(session.sessionId, (now, quiz) =>
      now.round === session.round ? reveal(now, quiz, clock.now(), result) : "unchanged",
    );
  }

  /** A creation that was broken off: the id and its PIN are to be had again. */
  #clearAway({ session, revision }: StoredSession): void {
    const { store, clock } = this.parts;
    const createdAt = session.createdAt ? timestampMs(session.createdAt) : 0;
    const backoff = this.#backoff(RETRY);
    const remove = () => {
      store.remove(session.sessionId, revision).catch((err) => {
        // Somebody took it over, or did this before; or NATS is away, and it is tried again.
        if (!isWrongLastSequence(err.cause)) this.#after(session.sessionId, backoff.next(), remove);
      });
    };
    this.#after(session.sessionId, createdAt + CLEAR_AWAY_MS - clock.now(), remove);
  }

  /** The pod that is first in order stores the last entry; the others make sure that it did. */
  #afterEnd(session: Session): void {
    const { lifecycle, logs, presence } = this.parts;
    const backoff = this.#backoff(END_RETRY);
    const finish = async () => {
      if (lifecycle.signal.aborted) return;
      try {
        await logs.of(session).end(session.round);
      } catch (err) {
        this.#outages.onFault(err, "end not stored; trying again");
        setTimeout(queue, backoff.next()).unref();
      }
    };
    const queue = () => {
      this.#endings = this.#endings.then(finish);
    };
    const turn = Math.min(presence.rank(session.sessionId), END_TURNS_MAX);
    setTimeout(queue, turn * END_CHECK_MS).unref();
  }
}

function isSamePhase(a: Session, b: Session): boolean {
  return a.logStart === b.logStart && a.round === b.round && a.phase === b.phase;
}
