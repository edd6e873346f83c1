/**
 * Quiz pods made by hand, as their parts on a real NATS, so that each can be stopped between two steps.
 */
import { create } from "@bufbuild/protobuf";
import { type Bus, connectBus } from "@fanfare/common/bus";
import { startBusClock } from "@fanfare/common/bus-clock";
import { ServiceError } from "@fanfare/common/errors";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { startNats } from "@fanfare/common/servers/nats";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { PlayerChangeSchema, ScoredAnswerSchema } from "@fanfare/proto/events/v1/events";
import { NatsSessionStore } from "../src/adapters/nats-session-store.js";
import { JetStreamSessionLogs } from "../src/adapters/session-logs.js";
import type { QuizBank } from "../src/domain/ports.js";
import type { QuizContext } from "../src/handlers/context.js";
import { createSession } from "../src/handlers/create-session.js";
import { QuizMetrics } from "../src/metrics.js";
import { numberedQuiz, tokens } from "./pods.js";

export const counters = {
  entryStored() {},
  entryRefused() {},
  entryUnanswered() {},
  logFull() {},
  pastLimitHit() {},
};
export const CACHE = { frozenBytesMax: 1e8, onEvicted() {} };
export const pastLimits = { lanesPerSecondMax: 100, answersMax: 10_000 };
export const call = { identity: { role: "host", subject: "host" } } as never;

/** What all pods share. */
export class Workshop implements AsyncDisposable {
  private constructor(
    private readonly nats: Awaited<ReturnType<typeof startNats>>,
    readonly lifecycle: Lifecycle,
    readonly bus: Bus,
    readonly now: () => number,
    readonly store: NatsSessionStore,
    readonly logs: JetStreamSessionLogs,
  ) {}

  static async start(): Promise<Workshop> {
    const nats = await startNats({ syncInterval: "2m" });
    const lifecycle = new Lifecycle(createLogger("test", "silent"));
    const bus = await connectBus({ url: nats.url, name: "test", replicas: 1 }, lifecycle);
    const clock = await startBusClock(bus.jsm, lifecycle);
    const store = await NatsSessionStore.open(bus, lifecycle, CACHE);
    const logs = new JetStreamSessionLogs(bus, counters, pastLimits);
    return new Workshop(nats, lifecycle, bus, () => clock.now(), store, logs);
  }

  pod(parts: Partial<QuizContext> = {}): QuizContext {
    const bank: QuizBank = { getQuiz: () => Promise.reject(new Error("not asked here")) };
    const { store, logs, now } = this;
    const [history, guesses] = [undefined as never, undefined as never];
    const metrics = new QuizMetrics();
    const clock = { now };
    const settings = { hostTokenSeconds: 60, answerGraceMs: 500 };
    const context = { store, logs, bank, history, clock, tokens, guesses, metrics };
    return { ...context, ...settings, ...parts };
  }

  async makeSession(sessionId: string, context = this.pod(), replaceEnded = false) {
    return (await createSession(context, creation(sessionId, replaceEnded), call)).session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lifecycle.close();
    await this.nats[Symbol.asyncDispose]();
  }
}

export const creation = (sessionId: string, replaceEnded = false) =>
  ({
    sessionId,
    source: { case: "quiz", value: numberedQuiz(2) },
    replaceEnded,
  }) as never;

export async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "OK";
  } catch (error) {
    return error instanceof ServiceError ? ErrorReason[error.reason] : String(error);
  }
}

export function joined(name: string) {
  const value = { playerId: `id-${name}`, nickname: name, nicknameKey: name, submissionId: name };
  return create(PlayerChangeSchema, { change: { case: "joined", value } });
}

export const answerOf = (playerId: string) =>
  create(ScoredAnswerSchema, { playerId, submissionId: "x", choices: ["A"], points: 1 });

/** A gate to stop at, and to be waited for. */
export function gate() {
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
export function replacing<T extends object>(object: T, own: Partial<T>): T {
  return new Proxy(object, {
    get(target, key) {
      const value = own[key as keyof T] ?? target[key as keyof T];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
