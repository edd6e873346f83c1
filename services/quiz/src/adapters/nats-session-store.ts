/**
 * Session records in a NATS bucket. A pod hears of every change as JetStream stores it (republished
 * on SESSION.<id>) and reads all again after it was cut off; a change is a compare-and-set on the
 * record's revision.
 */
import { fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { Backoff } from "@fanfare/common/backoff";
import { type Bus, isWrongLastSequence, openBucket, PURGE_MARKER_TTL } from "@fanfare/common/bus";
import { reaching, ServiceError, unavailable } from "@fanfare/common/errors";
import { type Lifecycle, pause } from "@fanfare/common/lifecycle";
import { ALL_SESSIONS, BUCKETS, frozenQuizKey, streamOfBucket } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import {
  type FrozenQuiz,
  FrozenQuizSchema,
  type Session,
  SessionSchema,
} from "@fanfare/proto/quiz/v1/session";
import type { KV } from "@nats-io/kv";
import type { SessionStore, StoredSession } from "../domain/ports.js";
import { isRefusal, type Refusal, SESSION_UNKNOWN } from "../domain/refusal.js";
import { isOver, type Outcome } from "../domain/session.js";
import { FrozenCache } from "./frozen-cache.js";
import { forgetPin } from "./pins.js";

const STORE = "the session store";
const UPDATE_TRIES = 20;
const RETRY_PAUSE_MS = 5;
/** The store sends nothing for so long: it is asked again. */
const READ_ALL_SILENCE_MS = 5_000;
const READ_ALL_RETRY = { firstMs: 1_000, maxMs: 5_000 };

export class NatsSessionStore implements SessionStore {
  readonly #known = new Map<string, StoredSession>();
  readonly #listeners = new Set<(stored: StoredSession) => void>();

  private constructor(
    private readonly bus: Bus,
    private readonly sessions: KV,
    private readonly quizzes: KV,
    private readonly pins: KV,
    private readonly frozen: FrozenCache,
  ) {}

  static async open(
    bus: Bus,
    lifecycle: Lifecycle,
    { frozenBytesMax, onEvicted }: { frozenBytesMax: number; onEvicted(): void },
  ): Promise<NatsSessionStore> {
    const store = new NatsSessionStore(
      bus,
      await openBucket(bus, "sessions"),
      await openBucket(bus, "frozenQuizzes"),
      await openBucket(bus, "pins"),
      new FrozenCache(frozenBytesMax, onEvicted),
    );
    bus.listen(ALL_SESSIONS, (message) => {
      const sessionId = message.subject.split(".")[1] ?? "";
      const revision = Number(message.headers?.get("Nats-Sequence"));
      if (message.data.length === 0) store.#known.delete(sessionId);
      else store.#hear(message.string(), revision);
    });
    bus.onReconnect(() => void store.#readAllInTime(lifecycle));
    await store.#readAllInTime(lifecycle);
    return store;
  }

  async find(sessionId: string): Promise<StoredSession | undefined> {
    return this.#known.get(sessionId) ?? this.read(sessionId);
  }

  async read(sessionId: string): Promise<StoredSession | undefined> {
    // Of the leader: a bucket's own get may be answered by a follower that is behind.
    const entry = await reaching(
      STORE,
      this.bus.jsm.streams.getMessage(streamOfBucket(BUCKETS.sessions), {
        last_by_subj: `$KV.${BUCKETS.sessions}.${sessionId}`,
      }),
    );
    // What marks a removal is empty.
    if (!entry || entry.data.length === 0) return undefined;
    this.#hear(entry.string(), entry.seq);
    return this.#known.get(sessionId);
  }

  all(): Iterable<StoredSession> {
    return this.#known.values();
  }

  onChange(listener: (stored: StoredSession) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Of questions in memory. */
  get frozenBytes(): number {
    return this.frozen.bytes;
  }

  async frozenQuiz(session: Session): Promise<FrozenQuiz> {
    const key = frozenQuizKey(session.sessionId, session.logStart);
    const known = this.frozen.get(key);
    if (known) return known;
    const entry = await reaching(STORE, this.quizzes.get(key));
    if (entry?.operation !== "PUT")
      throw new ServiceError(ErrorReason.UNAVAILABLE, "the session's questions are not there yet");
    const quiz = fromBinary(FrozenQuizSchema, entry.value);
    // An ended session's are hardly asked for again.
    if (!isOver(session)) this.frozen.set(key, quiz, entry.value.length);
    return quiz;
  }

  async update(
    sessionId: string,
    change: (session: Session, quiz: FrozenQuiz) => Outcome,
  ): Promise<Session> {
    let stored = await this.find(sessionId);
    for (let tries = 0; tries < UPDATE_TRIES; tries++) {
      if (!stored || stored.session.logStart === 0n) throw toError(SESSION_UNKNOWN);
      const outcome = change(stored.session, await this.frozenQuiz(stored.session));
      if (outcome === "unchanged" || isRefusal(outcome)) {
        // What this pod knows may be old: a "no" and a "done before" hold for what is stored.
        const fresh = await this.read(sessionId);
        if (fresh?.revision === stored.revision) {
          if (outcome === "unchanged") return stored.session;
          throw toError(outcome);
        }
        stored = fresh;
        continue;
      }
      if ((await this.replace(outcome, stored.revision)) !== undefined) {
        const { pin } = stored.session;
        // However it ended. Where that fails, the PIN is given back with the session's log (log-purge.ts).
        if (isOver(outcome) && pin) await this.releasePin(pin, sessionId).catch(() => {});
        return outcome;
      }
      if (tries > 0) await pause(RETRY_PAUSE_MS * tries);
      stored = await this.read(sessionId);
    }
    throw new ServiceError(ErrorReason.CONFLICT, "the session changes too often; try again");
  }

  async replace(session: Session, revision: number): Promise<number | undefined> {
    const json = toJsonString(SessionSchema, session);
    try {
      const now =
        revision === 0
          ? await this.sessions.create(session.sessionId, json)
          : await this.sessions.update(session.sessionId, json, revision);
      this.#hear(json, now);
      return now;
    } catch (error) {
      if (isWrongLastSequence(error)) return undefined;
      throw unavailable(STORE, error);
    }
  }

  async remove(sessionId: string, revision: number): Promise<void> {
    await reaching(
      STORE,
      this.sessions.purge(sessionId, { previousSeq: revision, ttl: PURGE_MARKER_TTL }),
    );
  }

  async putFrozenQuiz(session: Session, quiz: FrozenQuiz): Promise<void> {
    const key = frozenQuizKey(session.sessionId, session.logStart);
    await reaching(STORE, this.quizzes.put(key, toBinary(FrozenQuizSchema, quiz)));
  }

  /** Takes a PIN for a session; false where a live session has it. */
  async claimPin(pin: string, sessionId: string): Promise<boolean> {
    try {
      await this.pins.create(pin, sessionId);
      return true;
    } catch (error) {
      if (!isWrongLastSequence(error)) throw unavailable(STORE, error);
    }
    const holder = await reaching(STORE, this.pins.get(pin));
    if (!holder) return false;
    const stored = await this.read(holder.string());
    if (stored?.session.pin === pin) return false;
    // Its session is over, or was never made: the PIN is free, for whoever is first.
    return this.pins
      .update(pin, sessionId, holder.revision)
      .then(() => true)
      .catch((error) => {
        if (isWrongLastSequence(error)) return false;
        throw unavailable(STORE, error);
      });
  }

  async releasePin(pin: string, sessionId: string): Promise<void> {
    await reaching(STORE, forgetPin(this.pins, pin, sessionId));
  }

  async sessionOfPin(pin: string): Promise<Session | undefined> {
    const entry = await reaching(STORE, this.pins.get(pin));
    if (entry?.operation !== "PUT") return undefined;
    const stored = await this.find(entry.string());
    return stored?.session.pin === pin ? stored.session : undefined;
  }

  #hear(json: string, revision: number): void {
    const session = fromJsonString(SessionSchema, json, { ignoreUnknownFields: true });
    const known = this.#known.get(session.sessionId);
    if (known && known.revision >= revision) return;
    const stored = { session, revision };
    if (isOver(session)) this.frozen.delete(frozenQuizKey(session.sessionId, session.logStart));
    this.#known.set(session.sessionId, stored);
    for (const listener of this.#listeners) listener(stored);
  }

  /** A bucket whose servers are choosing a leader gives nothing for some seconds. */
  async #readAllInTime({ log, signal }: Lifecycle): Promise<void> {
    const backoff = new Backoff(READ_ALL_RETRY);
    while (!signal.aborted) {
      try {
        return await this.#readAll();
      } catch (err) {
        log.warn({ err }, "sessions not read; trying again");
        await pause(backoff.next(), signal);
      }
    }
  }

  async #readAll(): Promise<void> {
    const before = new Set(this.#known.keys());
    if ((await this.sessions.status()).values > 0) {
      const watch = await this.sessions.watch({ key: ">" });
      let isWhole = false;
      // Waits for each record, not for all of them: there may be very many.
      const limit = setTimeout(() => watch.stop(), READ_ALL_SILENCE_MS);
      for await (const entry of watch) {
        limit.refresh();
        if (entry.operation === "PUT") {
          before.delete(entry.key);
          this.#hear(entry.string(), entry.revision);
        }
        if (entry.delta !== 0) continue;
        isWhole = true;
        watch.stop();
      }
      clearTimeout(limit);
      if (!isWhole) throw unavailable(STORE);
    }
    for (const gone of before) this.#known.delete(gone);
  }
}

function toError({ refused, message, metadata }: Refusal): ServiceError {
  return new ServiceError(refused, message, { metadata: metadata ?? {} });
}
