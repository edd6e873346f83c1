/** Calls over a real connection: types, roles, errors, deadlines, streams, limits and the drain. */
import { getEventListeners } from "node:events";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Health, HealthCheckResponse_ServingStatus } from "@fanfare/proto/grpc/health/v1/health";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { Client, credentials, type ServiceError as GrpcError, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test, vi } from "vitest";
import { GivenUpError, ServiceError, unavailable } from "../src/errors.js";
import { createClient } from "../src/grpc-client.js";
import { type CallContext, startGrpcServer } from "../src/grpc-server.js";
import { Health as ProcessHealth } from "../src/health.js";
import { pause } from "../src/lifecycle.js";
import { ROLES, type Role } from "../src/tokens.js";
import { eventually, newLifecycle } from "./parts.js";
import { refusalOf, type Served, serveQuiz, tokens } from "./served-quiz.js";

const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function serve(...of: Parameters<typeof serveQuiz>): Promise<Served> {
  const served = await serveQuiz(...of);
  opened.push(served);
  return served;
}

/** Something that a test lets happen when it wants. */
function gate() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

function healthClient({ address }: Served) {
  const client = createClient(Health, address, () => "");
  opened.push({ [Symbol.asyncDispose]: async () => client.close() });
  return client;
}

describe("a call", () => {
  test("brings the request to its handler with the caller's identity, and the answer back", async () => {
    const asked: unknown[] = [];
    const served = await serve({
      getSession: async (request, { identity }) => {
        asked.push(request.sessionId, identity);
        return {
          session: { sessionId: "quiz_1", round: 3, phase: Phase.OPEN, logStart: 9n ** 18n },
        };
      },
    });
    const { session } = await served.as("host").getSession({ sessionId: "quiz_1" });
    expect(asked).toEqual(["quiz_1", { role: "host", subject: "a host" }]);
    expect(session).toMatchObject({ round: 3, phase: Phase.OPEN, logStart: 9n ** 18n });
    expect(served.calls).toMatchObject([{ method: "GetSession", error: undefined }]);
  });

  test("takes the token that it is given before the client's own", async () => {
    const served = await serve({
      resolvePin: async (_request, { identity }) => ({ sessionId: identity.subject }),
    });
    const token = tokens.issue({ role: "player", subject: "p1" }, 60);
    expect(await served.as("service").resolvePin({}, { token })).toMatchObject({ sessionId: "p1" });
  });

  test("that runs into its deadline fails as UNAVAILABLE, and its handler learns that", async () => {
    const aborted = gate();
    const served = await serve({
      getSession: (_request, { signal }) => {
        signal.addEventListener("abort", aborted.open);
        return new Promise(() => {});
      },
    });
    const startedAt = performance.now();
    const error = await refusalOf(served.as("host").getSession({}, { timeoutMs: 150 }));
    expect(error).toMatchObject({ reason: ErrorReason.UNAVAILABLE, retryable: true });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await aborted.passed;
  });

  test("that works for too long is ended by the server, and the limit is counted", async () => {
    const handler = () => new Promise<never>(() => {});
    const served = await serve({ getSession: handler }, {}, { callLimitMs: 50 });
    const error = await refusalOf(served.as("host").getSession({}));
    expect(error).toMatchObject({
      reason: ErrorReason.UNAVAILABLE,
      message: "no answer within 50 ms; try again",
    });
    const { values } = await served.metrics.limitHits.get();
    expect(values).toMatchObject([{ labels: { limit: "CALL_LIMIT_MS" }, value: 1 }]);
  });

  test("that its caller gives up is cancelled at the server, and is no refusal", async () => {
    const [begun, aborted] = [gate(), gate()];
    const served = await serve({
      getSession: (_request, { signal }) => {
        signal.addEventListener("abort", aborted.open);
        begun.open();
        return new Promise(() => {});
      },
    });
    const abort = new AbortController();
    const call = refusalOf(served.as("host").getSession({}, { signal: abort.signal }));
    await begun.passed;
    abort.abort();
    expect(await call).toBeInstanceOf(GivenUpError);
    await aborted.passed;
  });

  test("is not sent where its caller had given up before", async () => {
    const served = await serve({ getSession: async () => ({}) });
    const call = served.as("host").getSession({}, { signal: AbortSignal.abort() });
    expect(await refusalOf(call)).toBeInstanceOf(GivenUpError);
    expect(served.calls).toEqual([]);
  });

  test("leaves nothing on a signal that outlives it", async () => {
    const served = await serve({
      getSession: async () => ({}),
      resolvePin: () => Promise.reject(new ServiceError(ErrorReason.SESSION_NOT_FOUND, "no")),
      watchSession: async function* () {
        yield {};
      },
    });
    const client = served.as("host");
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i++) {
      await client.getSession({}, { signal });
      await refusalOf(client.resolvePin({}, { signal }));
      for await (const _ of client.watchSession({}, { signal }));
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("to nobody fails as UNAVAILABLE at once", async () => {
    const client = createClient(QuizService, "127.0.0.1:9", () => "");
    const startedAt = performance.now();
    const error = await refusalOf(client.getSession({}));
    client.close();
    expect(error.reason).toBe(ErrorReason.UNAVAILABLE);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe("an error", () => {
  test("arrives with reason, text, metadata and the time to wait", async () => {
    const served = await serve({
      submitAnswers: () =>
        Promise.reject(
          new ServiceError(ErrorReason.SLOW_DOWN, "too much at once", {
            metadata: { limit: "ANSWERS_PER_SECOND_MAX" },
            retryAfterMs: 1_250,
          }),
        ),
    });
    expect(await refusalOf(served.as("service").submitAnswers({}))).toMatchObject({
      reason: ErrorReason.SLOW_DOWN,
      message: "too much at once",
      code: status.RESOURCE_EXHAUSTED,
      retryable: true,
      retryAfterMs: 1_250,
      metadata: { limit: "ANSWERS_PER_SECOND_MAX" },
    });
    expect(served.calls[0]?.error?.reason).toBe(ErrorReason.SLOW_DOWN);
  });

  test.each([
    [
      "thrown at once",
      () => {
        throw new Error("SELECT password FROM users");
      },
    ],
    ["rejected", () => Promise.reject(new Error("SELECT password FROM users"))],
    ["no error at all", () => Promise.reject("SELECT password FROM users")],
  ])(
    "that nobody expected, %s, is INTERNAL without its text, and a line in the log",
    async (_how, handler) => {
      const served = await serve({ getSession: handler as () => Promise<never> });
      const error = await refusalOf(served.as("host").getSession({}));
      expect(error.reason).toBe(ErrorReason.INTERNAL);
      expect(JSON.stringify([error.message, error.metadata])).not.toContain("SELECT");
      expect(served.lines).toMatchObject([{ level: 50, msg: "call failed", method: "GetSession" }]);
      expect(JSON.stringify(served.lines)).toContain("SELECT");
    },
  );

  test("of a part that is away is in the log with its cause, once in a while", async () => {
    const served = await serve({
      getSession: () => Promise.reject(unavailable("Redis", new Error("ECONNREFUSED"))),
    });
    const client = served.as("host");
    for (let i = 0; i < 10; i++)
      expect((await refusalOf(client.getSession({}))).reason).toBe(ErrorReason.UNAVAILABLE);
    expect(served.lines).toMatchObject([{ level: 40, err: { message: "ECONNREFUSED" } }]);
  });

  test.each([
    ["a long text", "x".repeat(500_000)],
    ["half of a surrogate pair", "name \ud83c"],
    ["line breaks and emoji", "a\r\nb 🎉"],
  ])("with %s still arrives with its reason", async (_what, text) => {
    const served = await serve({
      getSession: () => Promise.reject(new ServiceError(ErrorReason.NAME_INVALID, text)),
    });
    const error = await refusalOf(served.as("host").getSession({}));
    expect(error.reason).toBe(ErrorReason.NAME_INVALID);
  });

  test("with a reason of a later version arrives as a fault, and the server lives", async () => {
    const reason = 9_999 as ErrorReason;
    const served = await serve({
      getSession: () => Promise.reject(new ServiceError(reason, "news")),
    });
    const client = served.as("host");
    expect((await refusalOf(client.getSession({}))).reason).toBe(ErrorReason.INTERNAL);
    expect((await refusalOf(client.getSession({}))).message).toBe("news");
  });
});

describe("who may call what", () => {
  const roles = {
    getSession: "any",
    createSession: ["host", "author", "admin"],
    submitAnswers: ["service"],
    endSession: [],
  } as const;
  const answer = async () => ({});
  const served = () =>
    serve(
      { getSession: answer, createSession: answer, submitAnswers: answer, endSession: answer },
      roles,
    );

  test("is what the table says, for each role", async () => {
    const server = await served();
    for (const role of ROLES) {
      const client = server.as(role);
      const calls = {
        getSession: () => client.getSession({}),
        createSession: () => client.createSession({}),
        submitAnswers: () => client.submitAnswers({}),
        endSession: () => client.endSession({}),
      };
      for (const [method, call] of Object.entries(calls)) {
        const allowed = roles[method as keyof typeof roles] as "any" | readonly Role[];
        const outcome = await call().then(
          () => "ok",
          ({ reason }) => ErrorReason[reason],
        );
        const expected = allowed === "any" || allowed.includes(role) ? "ok" : "FORBIDDEN";
        expect({ role, method, outcome }).toEqual({ role, method, outcome: expected });
      }
    }
  });

  test("is told to those who may not", async () => {
    const server = await served();
    expect(await refusalOf(server.as("player").createSession({}))).toMatchObject({
      message: "this call is for: host, author, admin",
      metadata: { roles: "host,author,admin" },
    });
  });

  test.each([
    ["no token", ""],
    ["a word", "x"],
    ["a forged token", `${tokens.issue({ role: "admin", subject: "a" }, 60)}x`],
  ])("is nothing for who comes with %s", async (_what, token) => {
    const server = await served();
    const error = await refusalOf(server.withToken(token).getSession({}));
    expect(error.reason).toBe(ErrorReason.UNAUTHENTICATED);
  });

  test("is asked before a stream begins, too", async () => {
    let begun = false;
    const handler = async function* () {
      begun = true;
      yield {};
    };
    const server = await serve({ watchSession: handler }, { watchSession: ["admin"] });
    const read = async () => {
      for await (const _ of server.as("player").watchSession({}));
    };
    expect((await refusalOf(read())).reason).toBe(ErrorReason.FORBIDDEN);
    expect(begun).toBe(false);
  });

  test("must be said for every method before a server starts", async () => {
    const { lifecycle } = newLifecycle();
    const service = { service: QuizService, handlers: {}, access: {} };
    const options = { host: "127.0.0.1", port: 0, tokens, health: new ProcessHealth(), drainMs: 0 };
    await expect(startGrpcServer([service as never], options, lifecycle)).rejects.toThrow(
      "CreateSession has no handler or no row of access",
    );
  });
});

describe("a stream", () => {
  const revisions = async (stream: AsyncIterable<{ revision: bigint }>) => {
    const list: number[] = [];
    for await (const { revision } of stream) list.push(Number(revision));
    return list;
  };

  /** Counts up until it is told to stop; says how it ended. */
  function counting() {
    const ended = gate();
    const handler = async function* (_request: unknown, { signal }: CallContext) {
      try {
        for (let i = 1n; !signal.aborted; i++) {
          yield { revision: i };
          await pause(5, signal);
        }
      } finally {
        ended.open();
      }
    };
    return { handler, ended: ended.passed };
  }

  test("brings everything in order, and ends", async () => {
    const served = await serve({
      watchSession: async function* () {
        for (let i = 0n; i < 1_000n; i++) yield { revision: i };
      },
    });
    const list = await revisions(served.as("host").watchSession({}));
    expect(list).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    await eventually("the call is counted", () => served.calls.length === 1);
    expect(served.calls[0]?.error).toBeUndefined();
  });

  test("that fails in the middle brings what came before, and the reason", async () => {
    const served = await serve({
      watchSession: async function* () {
        yield { revision: 1n };
        throw new ServiceError(ErrorReason.SESSION_ENDED, "over", { metadata: { round: "3" } });
      },
    });
    const list: number[] = [];
    const read = async () => {
      for await (const { revision } of served.as("host").watchSession({}))
        list.push(Number(revision));
    };
    expect(await refusalOf(read())).toMatchObject({
      reason: ErrorReason.SESSION_ENDED,
      message: "over",
      metadata: { round: "3" },
    });
    expect(list).toEqual([1]);
  });

  test("that fails unexpectedly keeps the text of the fault to itself", async () => {
    const served = await serve({
      // biome-ignore lint/correctness/useYield: it fails before its first message
      watchSession: async function* () {
        throw new Error("SELECT password");
      },
    });
    const error = await refusalOf(revisions(served.as("host").watchSession({})));
    expect(error.reason).toBe(ErrorReason.INTERNAL);
    expect(error.message).not.toContain("SELECT");
    expect(served.lines).toMatchObject([{ level: 50, err: { message: "SELECT password" } }]);
  });

  test("that its reader leaves ends at the server", async () => {
    const { handler, ended } = counting();
    const served = await serve({ watchSession: handler });
    for await (const { revision } of served.as("host").watchSession({})) if (revision === 3n) break;
    await ended;
  });

  test("that its reader gives up by a signal just ends, here and at the server", async () => {
    const { handler, ended } = counting();
    const served = await serve({ watchSession: handler });
    const abort = new AbortController();
    const list: bigint[] = [];
    for await (const { revision } of served.as("host").watchSession({}, { signal: abort.signal })) {
      list.push(revision);
      if (list.length === 3) abort.abort();
    }
    expect(list.slice(0, 3)).toEqual([1n, 2n, 3n]);
    await ended;
    const none = served.as("host").watchSession({}, { signal: abort.signal });
    expect(await revisions(none)).toEqual([]);
  });

  test("that the stop cuts off fails as UNAVAILABLE: it is not complete", async () => {
    const { handler, ended } = counting();
    const served = await serve({ watchSession: handler });
    const stream = served.as("host").watchSession({})[Symbol.asyncIterator]();
    await stream.next();
    const read = async () => {
      while (!(await stream.next()).done);
    };
    const reading = refusalOf(read());
    await served.lifecycle.close();
    expect((await reading).reason).toBe(ErrorReason.UNAVAILABLE);
    await ended;
  });

  test("with a reader slower than its writer is held up, and leaves no listeners behind", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    let written = 0;
    let signal: AbortSignal | undefined;
    const served = await serve({
      exportHistory: async function* (_request, call) {
        signal = call.signal;
        const rows = [{ playerId: "p".repeat(100_000) }];
        for (; written < 400 && !call.signal.aborted; written++) yield { rows };
      },
    });
    const stream = served.as("host").exportHistory({})[Symbol.asyncIterator]();
    await stream.next();
    await eventually("the writer waits", async () => {
      const before = written;
      await pause(100);
      return written === before;
    });
    expect(written).toBeLessThan(200);
    let count = 1;
    while (!(await stream.next()).done) count++;
    expect(count).toBe(400);
    expect(signal && getEventListeners(signal, "abort")).toEqual([]);
    expect(warnings).toEqual([]);
    process.off("warning", onWarning);
  });
});

describe("what is too large or makes no sense", () => {
  test("a request beyond 4 MiB is refused as TOO_LARGE, and the connection lives", async () => {
    const served = await serve({ getSession: async () => ({}) });
    const client = served.as("host");
    const sessionId = "x".repeat(4 * 1024 * 1024);
    expect((await refusalOf(client.getSession({ sessionId }))).reason).toBe(ErrorReason.TOO_LARGE);
    expect(await client.getSession({ sessionId: "x".repeat(4_000_000) })).toBeDefined();
  });

  test("bytes that are no message are refused, and the server lives", async () => {
    const served = await serve({ getSession: async () => ({}) });
    const raw = new Client(served.address, credentials.createInsecure());
    const path = `/${QuizService.typeName}/GetSession`;
    const same = (bytes: Buffer) => bytes;
    const error = await new Promise<GrpcError | null>((resolve) =>
      raw.makeUnaryRequest(path, same, same, Buffer.from([0xff, 0xff, 0xff]), resolve),
    );
    raw.close();
    expect(error?.code).toBe(status.INTERNAL);
    expect(await served.as("host").getSession({})).toBeDefined();
  });

  test("a method that there is not is refused", async () => {
    const served = await serve({});
    const raw = new Client(served.address, credentials.createInsecure());
    const same = (bytes: Buffer) => bytes;
    const error = await new Promise<GrpcError | null>((resolve) =>
      raw.makeUnaryRequest("/quiz.v1.QuizService/No", same, same, Buffer.alloc(0), resolve),
    );
    raw.close();
    expect(error?.code).toBe(status.UNIMPLEMENTED);
  });
});

describe("health", () => {
  test("is what the process says of itself, and changes are told", async () => {
    const served = await serve({});
    const client = healthClient(served);
    expect(await client.check({})).toMatchObject({ status: SERVING });
    const watched: number[] = [];
    const watching = (async () => {
      for await (const { status: now } of client.watch({})) {
        watched.push(now);
        if (watched.length === 3) return;
      }
    })();
    await eventually("the first is told", () => watched.length === 1);
    let connected = false;
    served.health.require("NATS", () => connected);
    expect(await client.check({})).toMatchObject({ status: NOT_SERVING });
    await eventually("the second is told", () => watched.length === 2, 3_000);
    connected = true;
    await watching;
    expect(watched).toEqual([SERVING, NOT_SERVING, SERVING]);
  });

  test("a watcher that leaves is not told any more", async () => {
    const served = await serve({});
    const told = new Set<() => void>();
    const onChange = served.health.onChange.bind(served.health);
    served.health.onChange = (listener) => {
      told.add(listener);
      const stop = onChange(listener);
      return () => {
        told.delete(listener);
        stop();
      };
    };
    for await (const _ of healthClient(served).watch({})) break;
    await eventually("the listener is gone", () => told.size === 0);
  });
});

describe("a stop", () => {
  test("says not ready first, serves on while others learn that, and lets calls end", async () => {
    const [begun, end] = [gate(), gate()];
    const served = await serve(
      {
        getSession: async () => ({}),
        resolvePin: async () => {
          begun.open();
          await end.passed;
          return { sessionId: "done" };
        },
      },
      {},
      { drainMs: 400 },
    );
    const [client, health] = [served.as("host"), healthClient(served)];
    const slow = client.resolvePin({});
    await begun.passed;
    const stopped = served.lifecycle.close();
    expect(await health.check({})).toMatchObject({ status: NOT_SERVING });
    expect(await client.getSession({})).toBeDefined();
    await eventually(
      "no new connection is taken",
      async () => {
        const late = createClient(QuizService, served.address, () => "");
        const { message } = await refusalOf(late.getSession({}, { timeoutMs: 1_000 }));
        late.close();
        return message.includes("ECONNREFUSED");
      },
      5_000,
    );
    end.open();
    expect(await slow).toMatchObject({ sessionId: "done" });
    await stopped;
    expect(served.lines).toEqual([]);
  });

  test("cuts off what does not end within 3 s", async () => {
    const begun = gate();
    const served = await serve({
      getSession: () => {
        begun.open();
        return new Promise(() => {});
      },
    });
    const call = refusalOf(served.as("host").getSession({}, { timeoutMs: 30_000 }));
    await begun.passed;
    const startedAt = performance.now();
    await served.lifecycle.close();
    expect((await call).reason).toBe(ErrorReason.UNAVAILABLE);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test("is given the time that the drain takes before the next part closes", async () => {
    const { lifecycle } = newLifecycle();
    const pushed = vi.spyOn(lifecycle, "push");
    const health = new ProcessHealth();
    const options = { host: "127.0.0.1", port: 0, tokens, health, drainMs: 15_000 };
    await startGrpcServer([], options, lifecycle);
    const [, , limitMs] = pushed.mock.lastCall ?? [];
    expect(limitMs).toBeGreaterThan(15_000 + 3_000);
    await lifecycle.close(1);
  });

  test("of a server whose port is taken never begins", async () => {
    const served = await serve({});
    const { lifecycle } = newLifecycle();
    const port = Number(served.address.split(":")[1]);
    const options = { host: "127.0.0.1", port, tokens, health: new ProcessHealth(), drainMs: 0 };
    await expect(startGrpcServer([], options, lifecycle)).rejects.toThrow(/EADDRINUSE|address/);
  });
});
