/**
 * What a pod can't do that wakes up late, hears nothing, or has a clock that was set back. Pods are made
 * by hand here, as their parts on a real NATS, so that each can be stopped between two steps.
 */
import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Bus, connectBus } from "@fanfare/common/bus";
import { startBusClock } from "@fanfare/common/bus-clock";
import { ServiceError } from "@fanfare/common/errors";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { Presence } from "@fanfare/common/presence";
import { startNats } from "@fanfare/common/servers/nats";
import { BUCKETS, STREAMS, storedSessionSubjects, streamOfBucket } from "@fanfare/proto/addresses";
import { toAnswerColumns } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { PlayerChangeSchema, ScoredAnswerSchema } from "@fanfare/proto/events/v1/events";
import { Phase, type Session, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NatsSessionStore } from "../src/adapters/nats-session-store.js";
import { JetStreamSessionLogs } from "../src/adapters/session-logs.js";
import type { QuizBank, SessionLogs, SessionStore } from "../src/domain/ports.js";
import { HALF_MADE_MS } from "../src/domain/session.js";
import type { QuizContext } from "../src/handlers/context.js";
import { createSession } from "../src/handlers/create-session.js";
import { endSession } from "../src/handlers/host-commands.js";
import { submitToLane } from "../src/handlers/submit-answers.js";
import { QuizMetrics } from "../src/metrics.js";
import { RoundClock } from "../src/round-clock.js";
import { numberedQuiz, tokens, until } from "./pods.js";

let nats: Awaited<ReturnType<typeof startNats>>;
let lifecycle: Lifecycle;
let bus: Bus;
let now: () => number;
let store: NatsSessionStore;
let logs: JetStreamSessionLogs;

const counters = { entryStored() {}, entryRefused() {}, entryUnanswered() {}, logFull() {} };
const call = { identity: { role: "host", subject: "host" } } as never;

beforeAll(async () => {
  nats = await startNats({ syncInterval: "2m" });
  lifecycle = new Lifecycle(createLogger("test", "silent"));
  bus = await connectBus({ url: nats.url, name: "test", replicas: 1 }, lifecycle);
  const clock = await startBusClock(bus.jsm, lifecycle);
  now = () => clock.now();
  store = await NatsSessionStore.open(bus, lifecycle);
  logs = new JetStreamSessionLogs(bus, counters);
});

afterAll(async () => {
  await lifecycle.close();
  await nats[Symbol.asyncDispose]();
});

function pod(parts: Partial<QuizContext> = {}): QuizContext {
  const bank: QuizBank = { getQuiz: () => Promise.reject(new Error("not asked here")) };
  const history = undefined as never;
  const metrics = new QuizMetrics();
  const clock = { now };
  return { store, logs, bank, history, clock, tokens, metrics, hostTokenSeconds: 60, ...parts };
}

const creation = (sessionId: string, replaceEnded = false) =>
  ({
    sessionId,
    source: { case: "quiz", value: numberedQuiz(2) },
    replaceEnded,
  }) as never;

const makeSession = async (sessionId: string, context = pod(), replaceEnded = false) =>
  (await createSession(context, creation(sessionId, replaceEnded), call)).session;

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "OK";
  } catch (error) {
    return error instanceof ServiceError ? ErrorReason[error.reason] : String(error);
  }
}

function joined(name: string) {
  const value = { playerId: `id-${name}`, nickname: name, nicknameKey: name, submissionId: name };
  return create(PlayerChangeSchema, { change: { case: "joined", value } });
}

const answerOf = (playerId: string) =>
  create(ScoredAnswerSchema, { playerId, submissionId: "x", choices: ["A"], points: 1 });

/** A gate to stop at, and to be waited for. */
function gate() {
  let arrive = () => {};
  let open = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const stop = () => {
    arrive();
    return opened;
  };
  return { stop, arrived, open };
}

/** The object with some methods replaced. */
function replacing<T extends object>(object: T, own: Partial<T>): T {
  return new Proxy(object, {
    get(target, key) {
      const value = own[key as keyof T] ?? target[key as keyof T];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test.each(["create", "putFrozenQuiz"] as const)(
  "a pod that sleeps before %s of a creation leaves the session alone that another has made since",
  async (step) => {
    const sessionId = `slept_${step}`;
    const { stop, arrived, open } = gate();
    const slow = pod({
      logs: replacing<SessionLogs>(logs, {
        async create(...given) {
          if (step === "create") await stop();
          return logs.create(...given);
        },
      }),
      store: replacing<SessionStore>(store, {
        async putFrozenQuiz(...given) {
          if (step === "putFrozenQuiz") await stop();
          return store.putFrozenQuiz(...given);
        },
      }),
    });
    const sleeper = reasonOf(makeSession(sessionId, slow));
    await arrived;
    const later = pod({ clock: { now: () => now() + HALF_MADE_MS + 1_000 } });
    const made = await makeSession(sessionId, later);
    await logs.of(made).changePlayer("ann", joined("ann"));
    open();
    expect(await sleeper).toBe("CONFLICT");
    const stored = await store.read(sessionId);
    expect(stored?.session.logStart).toBe(made.logStart);
    expect(await logs.lastStart(sessionId)).toBe(Number(made.logStart));
    const fresh = new JetStreamSessionLogs(bus, counters).of(stored?.session as Session);
    expect(await fresh.findPlayers(["id-ann"])).toMatchObject([{ nickname: "ann" }]);
  },
);

test("a creation that fails leaves neither record nor PIN behind", async () => {
  const sessionId = "failed";
  const pins: string[] = [];
  const failing = replacing<SessionStore>(store, {
    putFrozenQuiz: () => Promise.reject(new ServiceError(ErrorReason.UNAVAILABLE, "away")),
    claimPin(pin, id) {
      pins.push(pin);
      return store.claimPin(pin, id);
    },
  });
  expect(await reasonOf(makeSession(sessionId, pod({ store: failing })))).toBe("UNAVAILABLE");
  expect(await store.read(sessionId)).toBeUndefined();
  expect(await store.claimPin(pins[0] as string, "another")).toBe(true);
  expect((await makeSession(sessionId)).sessionId).toBe(sessionId);
});

test("a creation while the log can't be asked is refused as retryable", async () => {
  const streams = { getMessage: () => Promise.reject(new Error("timeout")) };
  const away = { ...bus, jsm: { ...bus.jsm, streams } } as unknown as Bus;
  const parts = { logs: new JetStreamSessionLogs(away, counters) };
  expect(await reasonOf(makeSession("log_away", pod(parts)))).toBe("UNAVAILABLE");
});

test("what marks a removed record goes by itself", async () => {
  const { sessionId } = await makeSession("marked");
  const { revision } = (await store.read(sessionId)) ?? { revision: 0 };
  await store.remove(sessionId, revision);
  const mark = await bus.jsm.streams.getMessage(streamOfBucket(BUCKETS.sessions), {
    last_by_subj: `$KV.${BUCKETS.sessions}.${sessionId}`,
  });
  expect(mark?.header.get("Nats-TTL")).toBe("10m");
});

test("the host of an ended session is nobody in the next one of its id", async () => {
  const first = await createSession(pod(), creation("again"), call);
  const identity = tokens.verify(first.hostToken);
  await endSession(pod(), { sessionId: "again" }, { identity } as never);
  await makeSession("again", pod(), true);
  const work = endSession(pod(), { sessionId: "again" }, { identity } as never);
  expect(await reasonOf(work)).toBe("FORBIDDEN");
});

test("lanes of an id that is used again go on when the earlier session is purged", async () => {
  const sessionId = "purged";
  const first = await makeSession(sessionId);
  await logs.of(first).changePlayer("ann", joined("ann"));
  await endSession(pod(), { sessionId }, call);
  const second = await makeSession(sessionId, pod(), true);
  const log = logs.of(second);
  // Reads on to the earlier session's entry, and takes nothing from it.
  await log.refreshPlayers();
  expect(log.players()).toEqual([]);
  const filter = storedSessionSubjects(sessionId);
  await bus.jsm.streams.purge(STREAMS.log, { filter, seq: Number(second.logStart) });
  expect(await log.changePlayer("bob", joined("bob"))).toMatchObject({ kind: "in" });
});

test("a pod that still holds an ended session writes nothing into the next one of its id", async () => {
  const sessionId = "late";
  const first = await makeSession(sessionId);
  const asleep = new JetStreamSessionLogs(bus, counters).of(first);
  await asleep.answerLane(1, 0).refresh();
  await endSession(pod(), { sessionId }, call);
  const second = await makeSession(sessionId, pod(), true);
  const lane = logs.of(second).answerLane(1, 0);
  await lane.submit([answerOf("p1")]);
  expect(await reasonOf(asleep.closeRound(1, ["A"]))).toBe("CONFLICT");
  expect(await lane.submit([answerOf("p2")])).toMatchObject([{ kind: "accepted" }]);
  const filter = storedSessionSubjects(sessionId);
  await bus.jsm.streams.purge(STREAMS.log, { filter, seq: Number(second.logStart) });
  await asleep.end(1);
  const rest = await bus.jsm.streams.info(STREAMS.log, { subjects_filter: filter });
  expect(Object.keys(rest.state.subjects ?? {}).filter((each) => /_ended$/.test(each))).toEqual([]);
});

/** A session in its first round with one player, and that player's answer on its way. */
async function annIn(sessionId: string, state: Pick<Session, "phase"> & Partial<Session>) {
  const session = await makeSession(sessionId);
  const { revision } = (await store.read(sessionId)) ?? { revision: 0 };
  await logs.of(session).changePlayer("ann", joined("ann"));
  await store.replace({ ...session, round: 1, ...state }, revision);
  const answers = [{ playerId: "id-ann", submissionId: "x", choices: ["A"], elapsedMs: 1 }];
  const request = { sessionId, round: 1, lane: 0, ...toAnswerColumns(answers) } as never;
  return { session, request };
}

test("once a player was told that the round is closed, no pod takes the answer (P3)", async () => {
  const { session, request } = await annIn("closing", { phase: Phase.CLOSING });
  const { refused } = await submitToLane(pod(), request);
  expect(refused).toEqual([ErrorReason.ROUND_CLOSED]);
  const another = new JetStreamSessionLogs(bus, counters).of(session).answerLane(1, 0);
  expect(await another.submit([answerOf("id-ann")])).toMatchObject([{ kind: "closed" }]);
});

test("a full log refuses, drops nothing, and takes the same answer once there is room", async () => {
  const { request } = await annIn("full", { phase: Phase.OPEN });
  const { state } = await bus.jsm.streams.info(STREAMS.log);
  await bus.jsm.streams.update(STREAMS.log, { max_bytes: state.bytes });
  const askedAt = performance.now();
  expect(await reasonOf(submitToLane(pod(), request))).toBe("UNAVAILABLE");
  // Not tried again and again.
  expect(performance.now() - askedAt).toBeLessThan(1_000);
  const full = await bus.jsm.streams.info(STREAMS.log);
  expect([full.state.messages, full.state.first_seq]).toEqual([state.messages, state.first_seq]);
  await bus.jsm.streams.update(STREAMS.log, { max_bytes: -1 });
  expect((await submitToLane(pod(), request)).refused).toEqual([ErrorReason.UNSPECIFIED]);
});

test("in a pause an answer on its way is not refused for good", async () => {
  const { session, request } = await annIn("paused", { phase: Phase.OPEN, paused: true });
  expect((await submitToLane(pod(), request)).refused).toEqual([ErrorReason.UNAVAILABLE]);
  await logs
    .of(session)
    .answerLane(1, 0)
    .submit([answerOf("id-ann")]);
  expect((await submitToLane(pod(), request)).points).toEqual([1]);
});

test("a pod that hears nothing answers 'done before' from what is stored", async () => {
  const { sessionId } = await makeSession("deaf");
  const deafBus: Bus = { ...bus, listen: (subject) => bus.nc.subscribe(subject) };
  const deaf = await NatsSessionStore.open(deafBus, lifecycle);
  await deaf.find(sessionId);
  await store.update(sessionId, (session) => ({ ...session, locked: true }));
  const unlocked = await deaf.update(sessionId, (session) =>
    session.locked ? { ...session, locked: false } : "unchanged",
  );
  expect(unlocked.locked).toBe(false);
  expect((await store.read(sessionId))?.session.locked).toBe(false);
});

test("a clock that is set back as a phase is due delays it, and stops nothing", async () => {
  const presence = await Presence.start("test", randomUUID(), bus, lifecycle);
  let setBackMs = 0;
  let startsAt = Number.POSITIVE_INFINITY;
  let looks = 0;
  const clock = {
    now() {
      // The second look of the pod at a due time is the one that counts.
      if (now() >= startsAt && ++looks === 2) setBackMs = 300;
      return now() - setBackMs;
    },
  };
  RoundClock.start({ store, logs, clock, presence, metrics: new QuizMetrics(), lifecycle });
  const { sessionId } = await makeSession("set_back");
  startsAt = now() + 300;
  await store.update(sessionId, (session) => ({
    ...session,
    phaseEndsAt: timestampFromMs(startsAt),
  }));
  await until(async () => (await store.read(sessionId))?.session.phase === Phase.OPEN, 5_000);
  expect(setBackMs).toBe(300);
  const half = create(SessionSchema, {
    sessionId: "half",
    createdAt: timestampFromMs(now() - 60_000),
  });
  await store.replace(half, 0);
  await until(async () => (await store.read("half")) === undefined, 5_000);
});
