/**
 * What a pod can't do that wakes up late, hears nothing, or has a clock that was set back.
 */
import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Bus } from "@fanfare/common/bus";
import { ServiceError } from "@fanfare/common/errors";
import { Presence } from "@fanfare/common/presence";
import {
  BUCKETS,
  STREAMS,
  storedSessionSubjects,
  storedSubject,
  streamOfBucket,
  subjectForPlayers,
} from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { PlayerChangeSchema } from "@fanfare/proto/events/v1/events";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase, type Session, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NatsSessionStore } from "../src/adapters/nats-session-store.js";
import { JetStreamSessionLogs } from "../src/adapters/session-logs.js";
import type { SessionLogs, SessionStore } from "../src/domain/ports.js";
import { HALF_MADE_MS } from "../src/domain/session.js";
import { isHostOf, requireSession } from "../src/handlers/context.js";
import { createSession } from "../src/handlers/create-session.js";
import { endSession } from "../src/handlers/host-commands.js";
import { QuizMetrics } from "../src/metrics.js";
import { RoundClock } from "../src/round-clock.js";
import {
  answerOf,
  CACHE,
  call,
  counters,
  creation,
  gate,
  joined,
  pastLimits,
  reasonOf,
  replacing,
  Workshop,
} from "./handmade-pods.js";
import { tokens, until } from "./pods.js";

let workshop: Workshop;

beforeAll(async () => {
  workshop = await Workshop.start();
});

afterAll(() => workshop[Symbol.asyncDispose]());

test.each(["create", "putFrozenQuiz"] as const)(
  "a pod that sleeps before %s of a creation leaves the session alone that another has made since",
  async (step) => {
    const sessionId = `slept_${step}`;
    const { stop, arrived, open } = gate();
    const slow = workshop.pod({
      logs: replacing<SessionLogs>(workshop.logs, {
        async create(...given) {
          if (step === "create") await stop();
          return workshop.logs.create(...given);
        },
      }),
      store: replacing<SessionStore>(workshop.store, {
        async putFrozenQuiz(...given) {
          if (step === "putFrozenQuiz") await stop();
          return workshop.store.putFrozenQuiz(...given);
        },
      }),
    });
    const sleeper = reasonOf(workshop.makeSession(sessionId, slow));
    await arrived;
    const later = workshop.pod({ clock: { now: () => workshop.now() + HALF_MADE_MS + 1_000 } });
    const made = await workshop.makeSession(sessionId, later);
    await workshop.logs.of(made).changePlayer("ann", joined("ann"));
    open();
    expect(await sleeper).toBe("CONFLICT");
    const stored = await workshop.store.read(sessionId);
    expect(stored?.session.logStart).toBe(made.logStart);
    expect(await workshop.logs.lastStart(sessionId)).toBe(Number(made.logStart));
    const fresh = new JetStreamSessionLogs(workshop.bus, counters, pastLimits).of(
      stored?.session as Session,
    );
    expect(await fresh.findPlayers(["id-ann"])).toMatchObject([{ nickname: "ann" }]);
  },
);

test("a creation that fails leaves neither record nor PIN behind", async () => {
  const sessionId = "failed";
  const pins: string[] = [];
  const failing = replacing<SessionStore>(workshop.store, {
    putFrozenQuiz: () => Promise.reject(new ServiceError(ErrorReason.UNAVAILABLE, "away")),
    claimPin(pin, id) {
      pins.push(pin);
      return workshop.store.claimPin(pin, id);
    },
  });
  expect(await reasonOf(workshop.makeSession(sessionId, workshop.pod({ store: failing })))).toBe(
    "UNAVAILABLE",
  );
  expect(await workshop.store.read(sessionId)).toBeUndefined();
  expect(await workshop.store.claimPin(pins[0] as string, "another")).toBe(true);
  expect((await workshop.makeSession(sessionId)).sessionId).toBe(sessionId);
});

test("a creation while the log can't be asked is refused as retryable", async () => {
  const streams = { getMessage: () => Promise.reject(new Error("timeout")) };
  const away = { ...workshop.bus, jsm: { ...workshop.bus.jsm, streams } } as unknown as Bus;
  const parts = { logs: new JetStreamSessionLogs(away, counters, pastLimits) };
  expect(await reasonOf(workshop.makeSession("log_away", workshop.pod(parts)))).toBe("UNAVAILABLE");
});

test("what marks a removed record goes by itself", async () => {
  const { sessionId } = await workshop.makeSession("marked");
  const { revision } = (await workshop.store.read(sessionId)) ?? { revision: 0 };
  await workshop.store.remove(sessionId, revision);
  const mark = await workshop.bus.jsm.streams.getMessage(streamOfBucket(BUCKETS.sessions), {
    last_by_subj: `$KV.${BUCKETS.sessions}.${sessionId}`,
  });
  expect(mark?.header.get("Nats-TTL")).toBe("10m");
});

test("the host of an ended session is nobody in the next one of its id", async () => {
  const first = await createSession(workshop.pod(), creation("again"), call);
  const identity = tokens.verify(first.hostToken);
  const isHost = async () =>
    isHostOf(identity, (await requireSession(workshop.pod(), "again")).session);
  expect(await isHost()).toBe(true);
  await endSession(workshop.pod(), { sessionId: "again" });
  await workshop.makeSession("again", workshop.pod(), true);
  expect(await isHost()).toBe(false);
});

test("lanes of an id that is used again go on when the earlier session is purged", async () => {
  const sessionId = "purged";
  const first = await workshop.makeSession(sessionId);
  await workshop.logs.of(first).changePlayer("ann", joined("ann"));
  await endSession(workshop.pod(), { sessionId });
  const second = await workshop.makeSession(sessionId, workshop.pod(), true);
  const log = workshop.logs.of(second);
  // Reads on to the earlier session's entry, and takes nothing from it.
  expect((await log.listPlayers(0, 10)).players).toEqual([]);
  const filter = storedSessionSubjects(sessionId);
  await workshop.bus.jsm.streams.purge(STREAMS.log, { filter, seq: Number(second.logStart) });
  expect(await log.changePlayer("bob", joined("bob"))).toMatchObject({ kind: "in" });
});

test("a pod that still holds an ended session writes nothing into the next one of its id", async () => {
  const sessionId = "late";
  const first = await workshop.makeSession(sessionId);
  const asleep = new JetStreamSessionLogs(workshop.bus, counters, pastLimits).of(first);
  await asleep.answerLane(1, 0).refresh();
  await endSession(workshop.pod(), { sessionId });
  const second = await workshop.makeSession(sessionId, workshop.pod(), true);
  const lane = workshop.logs.of(second).answerLane(1, 0);
  await lane.submit([answerOf("p1")]);
  expect(await reasonOf(asleep.closeRound(1, ["A"]))).toBe("CONFLICT");
  expect(await lane.submit([answerOf("p2")])).toMatchObject([{ kind: "accepted" }]);
  const filter = storedSessionSubjects(sessionId);
  await workshop.bus.jsm.streams.purge(STREAMS.log, { filter, seq: Number(second.logStart) });
  await asleep.end(1);
  const rest = await workshop.bus.jsm.streams.info(STREAMS.log, { subjects_filter: filter });
  expect(Object.keys(rest.state.subjects ?? {}).filter((each) => /_ended$/.test(each))).toEqual([]);
});

test("after the end nobody joins and nobody is kicked, and a ban is taken all the same", async () => {
  const sessionId = "over";
  const session = await workshop.makeSession(sessionId);
  const log = workshop.logs.of(session);
  await log.changePlayer("bob", joined("bob"));
  await log.end(0);
  const another = new JetStreamSessionLogs(workshop.bus, counters, pastLimits).of(session);
  for (const each of [log, another])
    expect(await each.changePlayer("ann", joined("ann"))).toEqual({ kind: "ended" });
  const again = await another.changePlayer("bob", joined("bob"));
  expect(again).toMatchObject({ kind: "in", again: true });
  const removal = (status: PlayerStatus) => {
    const value = { playerId: "id-bob", nicknameKey: "bob", status, logStart: session.logStart };
    return create(PlayerChangeSchema, { change: { case: "removed", value } });
  };
  const kick = removal(PlayerStatus.KICKED);
  expect(await another.changePlayer("bob", kick)).toEqual({ kind: "ended" });
  const ban = removal(PlayerStatus.BANNED);
  expect(await another.changePlayer("bob", ban)).toMatchObject({ kind: "removed" });
  // What another pod has stored is not stored again.
  expect(await log.changePlayer("bob", ban)).toMatchObject({ kind: "removed" });
  const subject = storedSubject(subjectForPlayers(sessionId, 0));
  const stored = { subjects_filter: subject };
  const { state } = await workshop.bus.jsm.streams.info(STREAMS.log, stored);
  expect(state.subjects?.[subject]).toBe(3);
});

test("a join or kick that was held up finds its lane closed, and never lands in the next session", async () => {
  const sessionId = "held_up";
  const first = await workshop.makeSession(sessionId);
  const asleep = new JetStreamSessionLogs(workshop.bus, counters, pastLimits).of(first);
  await asleep.changePlayer("bob", joined("bob"));
  // This one has read its lanes, the other one has never looked.
  const unread = new JetStreamSessionLogs(workshop.bus, counters, pastLimits).of(first);
  await endSession(workshop.pod(), { sessionId });
  const second = await workshop.makeSession(sessionId, workshop.pod(), true);
  const value = { playerId: "id-bob", nicknameKey: "bob", status: PlayerStatus.BANNED };
  const ban = create(PlayerChangeSchema, { change: { case: "removed", value } });
  for (const log of [asleep, unread]) {
    expect(await reasonOf(log.changePlayer("ann", joined("ann")))).toBe("CONFLICT");
    expect(await reasonOf(log.changePlayer("bob", ban))).toBe("CONFLICT");
  }
  await unread.end(0);
  const log = workshop.logs.of(second);
  expect((await log.listPlayers(0, 10)).players).toEqual([]);
  expect(await log.changePlayer("ann", joined("ann"))).toMatchObject({ kind: "in", again: false });
});

test("a pod that hears nothing answers 'done before' from what is stored", async () => {
  const { sessionId } = await workshop.makeSession("deaf");
  const deafBus: Bus = { ...workshop.bus, listen: (subject) => workshop.bus.nc.subscribe(subject) };
  const deaf = await NatsSessionStore.open(deafBus, workshop.lifecycle, CACHE);
  await deaf.find(sessionId);
  await workshop.store.update(sessionId, (session) => ({ ...session, locked: true }));
  const unlocked = await deaf.update(sessionId, (session) =>
    session.locked ? { ...session, locked: false } : "unchanged",
  );
  expect(unlocked.locked).toBe(false);
  expect((await workshop.store.read(sessionId))?.session.locked).toBe(false);
});

test("a clock that is set back as a phase is due delays it, and stops nothing", async () => {
  const presence = await Presence.start("test", randomUUID(), workshop.bus, workshop.lifecycle);
  let setBackMs = 0;
  let startsAt = Number.POSITIVE_INFINITY;
  let looks = 0;
  const clock = {
    now() {
      // The second look of the pod at a due time is the one that counts.
      if (workshop.now() >= startsAt && ++looks === 2) setBackMs = 300;
      return workshop.now() - setBackMs;
    },
  };
  const { store, logs, lifecycle } = workshop;
  const [metrics, idleMs] = [new QuizMetrics(), 86_400_000];
  RoundClock.start({ store, logs, clock, presence, metrics, lifecycle, idleMs });
  const { sessionId } = await workshop.makeSession("set_back");
  startsAt = workshop.now() + 300;
  await workshop.store.update(sessionId, (session) => ({
    ...session,
    phaseEndsAt: timestampFromMs(startsAt),
  }));
  await until(
    async () => (await workshop.store.read(sessionId))?.session.phase === Phase.OPEN,
    5_000,
  );
  expect(setBackMs).toBe(300);
  const half = create(SessionSchema, {
    sessionId: "half",
    createdAt: timestampFromMs(workshop.now() - 60_000),
  });
  await workshop.store.replace(half, 0);
  await until(async () => (await workshop.store.read("half")) === undefined, 5_000);
});
