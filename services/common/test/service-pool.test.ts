/** A pool of real servers, some of which die, hang, or are not there. */
import {
  type AddressInfo,
  connect as connectTo,
  createServer,
  type Server as Listener,
} from "node:net";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { afterEach, describe, expect, test } from "vitest";
import { GivenUpError, ServiceError, unavailable } from "../src/errors.js";
import { pause } from "../src/lifecycle.js";
import { freePort } from "../src/servers/free-port.js";
import { ServicePool } from "../src/service-pool.js";
import { eventually, newLifecycle } from "./parts.js";
import { type QuizClient, refusalOf, serveQuiz, tokens } from "./served-quiz.js";

const KEYS = Array.from({ length: 60 }, (_, i) => `quiz_${i}:0`);
const token = () => tokens.issue({ role: "service", subject: "gateway-0" }, 60);
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

/** A pod that answers with its address, unless it is told to behave in another way. */
async function startPod(behave?: () => Promise<never>, options: { port?: number } = {}) {
  let calls = 0;
  const pod = await serveQuiz(
    {
      resolvePin: async () => {
        calls++;
        if (behave) return behave();
        return { sessionId: pod.address };
      },
    },
    {},
    options,
  );
  opened.push(pod);
  return {
    address: pod.address,
    calls: () => calls,
    stop: () => pod[Symbol.asyncDispose](),
  };
}

async function connect(url: string) {
  const { lifecycle, lines } = newLifecycle();
  opened.push({ [Symbol.asyncDispose]: () => lifecycle.close() });
  const pool = await ServicePool.connect(QuizService, url, { token }, lifecycle);
  return { pool, lines };
}

test("says whether a connection stands, or that none came in time", async () => {
  const pod = await startPod();
  const { signal } = new AbortController();
  const limitMs = 5_000;
  expect(await (await connect(pod.address)).pool.isConnectedWithin(limitMs, signal)).toBe(true);
  const { pool } = await connect("no-such-host.invalid:9001");
  const asked = performance.now();
  expect(await pool.isConnectedWithin(120, signal)).toBe(false);
  expect(performance.now() - asked).toBeGreaterThanOrEqual(120);
  const waiting = pool.isConnectedWithin(60_000, AbortSignal.timeout(50));
  expect(await waiting).toBe(false);
});

test("the first call once a connection stands is served by a pod that came up after the pool", async () => {
  const port = await freePort();
  const { pool } = await connect(`127.0.0.1:${port}`);
  const connected = pool.isConnectedWithin(10_000, new AbortController().signal);
  // The pool was refused by then, and waits before it dials again.
  await expect(pool.request("a", ask)).rejects.toThrow();
  const pod = await startPod(undefined, { port });
  expect(await connected).toBe(true);
  expect(await pool.request("a", ask)).toBe(pod.address);
});

const ask = async (client: QuizClient) => (await client.resolvePin({})).sessionId;

/** A port that takes connections and never says a word. */
async function startSilent(): Promise<string> {
  const listener = await new Promise<Listener>((resolve) => {
    const server = createServer(() => {}).listen(0, "127.0.0.1", () => resolve(server));
  });
  opened.push({
    [Symbol.asyncDispose]: async () => void listener.close(),
  });
  const address = listener.address();
  return typeof address === "object" ? `127.0.0.1:${address?.port}` : "";
}

test("a pod that is known has a connection before anybody calls it", async () => {
  let connections = 0;
  const listener = createServer(() => connections++);
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  opened.push({ [Symbol.asyncDispose]: async () => void listener.close() });
  await connect(`127.0.0.1:${(listener.address() as AddressInfo).port}`);
  await eventually("a connection", () => connections === 1);
});

/** A key that belongs to one of the addresses, by asking nobody. */
async function keyOf(address: string, url: string): Promise<string> {
  const { rendezvousOrder } = await import("../src/rendezvous.js");
  const key = KEYS.find((each) => rendezvousOrder(each, url.split(","))[0] === address);
  if (!key) throw new Error(`no key belongs to ${address}`);
  return key;
}

test("a key goes to the same pod from every pool, and all pods have keys", async () => {
  const pods = [await startPod(), await startPod(), await startPod()];
  const url = pods.map(({ address }) => address).join(",");
  const { pool } = await connect(url);
  const { pool: other } = await connect(url.split(",").reverse().join(", "));
  const served = new Set<string>();
  for (const key of KEYS) {
    const address = await pool.request(key, ask);
    expect(await other.request(key, ask)).toBe(address);
    served.add(address);
  }
  expect(served.size).toBe(3);
});

test("without a key the pods take turns", async () => {
  const pods = [await startPod(), await startPod()];
  const { pool } = await connect(pods.map(({ address }) => address).join(","));
  for (let i = 0; i < 10; i++) await pool.request(undefined, ask);
  expect(pods.map(({ calls }) => calls())).toEqual([5, 5]);
});

test("where a pod has died the next in order answers, and the others keep their keys", async () => {
  const pods = [await startPod(), await startPod(), await startPod()];
  const { pool } = await connect(pods.map(({ address }) => address).join(","));
  const before = new Map<string, string>();
  for (const key of KEYS) before.set(key, await pool.request(key, ask));
  const gone = pods[0]?.address;
  await pods[0]?.stop();
  for (const key of KEYS) {
    const address = await pool.request(key, ask);
    if (before.get(key) !== gone) expect(address).toBe(before.get(key));
    else expect(address).not.toBe(gone);
  }
});

test("a pod that came back has its keys again", async () => {
  const port = await freePort();
  const pods = [await startPod(undefined, { port }), await startPod()];
  const url = pods.map(({ address }) => address).join(",");
  const { pool } = await connect(url);
  const address = `127.0.0.1:${port}`;
  const key = await keyOf(address, url);
  expect(await pool.request(key, ask)).toBe(address);
  await pods[0]?.stop();
  expect(await pool.request(key, ask)).toBe(pods[1]?.address);
  await startPod(undefined, { port });
  await eventually("it answers again", async () => (await pool.request(key, ask)) === address);
});

test("a verdict is a verdict: no other pod is asked for a better one", async () => {
  const refuse = () => Promise.reject(new ServiceError(ErrorReason.SESSION_NOT_FOUND, "no"));
  const pods = [await startPod(refuse), await startPod(refuse)];
  const { pool } = await connect(pods.map(({ address }) => address).join(","));
  expect((await refusalOf(pool.request("key", ask))).reason).toBe(ErrorReason.SESSION_NOT_FOUND);
  expect(pods.reduce((sum, { calls }) => sum + calls(), 0)).toBe(1);
});

test("where a pod's store is away another pod is asked, three in all", async () => {
  const away = () => Promise.reject(unavailable("NATS"));
  const pods = await Promise.all(Array.from({ length: 5 }, () => startPod(away)));
  const { pool } = await connect(pods.map(({ address }) => address).join(","));
  expect(await refusalOf(pool.request("key", ask))).toMatchObject({
    reason: ErrorReason.UNAVAILABLE,
    message: "NATS can't be reached now; try again",
  });
  expect(pods.map(({ calls }) => calls()).sort()).toEqual([0, 0, 1, 1, 1]);
});

describe("a pod that takes calls and never answers", () => {
  const slowly = (client: QuizClient) =>
    client.resolvePin({}, { timeoutMs: 1_200 }).then(({ sessionId }) => sessionId);

  test("costs one deadline, not one for each pod, and is avoided after that", async () => {
    const [silent, good] = [await startSilent(), await startPod()];
    const url = `${silent},${good.address}`;
    const { pool } = await connect(url);
    const key = await keyOf(silent, url);
    const startedAt = performance.now();
    const error = await refusalOf(pool.request(key, slowly));
    expect(error.reason).toBe(ErrorReason.UNAVAILABLE);
    expect(performance.now() - startedAt).toBeLessThan(2_200);
    for (let i = 0; i < 5; i++) expect(await pool.request(key, slowly)).toBe(good.address);
  });

  test("is not known by a deadline of some milliseconds", async () => {
    const [slow, other] = [await startPod(() => new Promise(() => {})), await startPod()];
    const url = `${slow.address},${other.address}`;
    const { pool } = await connect(url);
    const key = await keyOf(slow.address, url);
    const hastily = (client: QuizClient) => client.resolvePin({}, { timeoutMs: 20 });
    for (let i = 0; i < 3; i++) await refusalOf(pool.request(key, hastily));
    expect([slow.calls() > 0, other.calls()]).toEqual([true, 0]);
  });
});

test("what must not be repeated goes to a pod that is connected, and to all of them in turn", async () => {
  const port = await freePort();
  const pods = [await startPod(undefined, { port }), await startPod()];
  const { pool } = await connect(pods.map(({ address }) => address).join(","));
  const served = async () => {
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await ask(pool.any()));
    return new Set(answers).size;
  };
  await eventually("both serve", async () => (await served()) === 2);
  await pods[0]?.stop();
  expect(await served()).toBe(1);
  await startPod(undefined, { port });
  await eventually("both serve again", async () => (await served()) === 2);
});

test("a caller that gives up is not taken for a pod that failed", async () => {
  const pods = [await startPod(() => new Promise(() => {})), await startPod()];
  const url = pods.map(({ address }) => address).join(",");
  const { pool } = await connect(url);
  const key = await keyOf(pods[0]?.address ?? "", url);
  const abort = new AbortController();
  const call = pool.request(key, (client) => client.resolvePin({}, { signal: abort.signal }));
  const refused = refusalOf(call);
  await eventually("it is under way", () => pods[0]?.calls() === 1);
  abort.abort();
  expect(await refused).toBeInstanceOf(GivenUpError);
  expect(pods[1]?.calls()).toBe(0);
});

test("where no pod is known a request is refused at once, and it is said in the log", async () => {
  const { pool, lines } = await connect("nowhere.invalid:9001");
  expect((await refusalOf(pool.request("key", ask))).reason).toBe(ErrorReason.UNAVAILABLE);
  expect(() => pool.any()).toThrow(ServiceError);
  expect(lines).toMatchObject([{ level: 40, msg: "no pod is known; looking again" }]);
});

describe("a connection that has reached its age", () => {
  test("is replaced without losing a call: quick ones, slow ones, streams", async () => {
    let [connections, calls, going] = [0, 0, true];
    const pod = await serveQuiz(
      {
        resolvePin: async () => ({ sessionId: "quiz_1" }),
        getSession: async () => {
          await pause(700);
          return {};
        },
        watchSession: async function* () {
          for (let revision = 0n; revision < 20n; revision++) {
            yield { revision };
            await pause(50);
          }
        },
      },
      {},
      { connectionAgeMs: 150 },
    );
    opened.push(pod);
    const proxy = await startProxy(pod.address, () => connections++);
    const { pool } = await connect(proxy);
    const until = async (call: () => Promise<unknown>) => {
      for (; going; calls++) await call();
    };
    const quick = Array.from({ length: 4 }, () => until(() => pool.request("key", ask)));
    const slow = until(() => pool.request("key", (client) => client.getSession({})));
    const streams = until(async () => {
      let read = 0n;
      for await (const { revision } of pool.any().watchSession({})) expect(revision).toBe(read++);
      expect(read).toBe(20n);
    });
    await eventually("many connections have come and gone", () => connections > 20, 30_000);
    going = false;
    await Promise.all([...quick, slow, streams]);
    expect(calls).toBeGreaterThan(100);
    expect(pod.calls.filter(({ error }) => error)).toEqual([]);
  });
});

/** Passes bytes on, and counts connections. */
async function startProxy(address: string, onConnection: () => void): Promise<string> {
  const [host, port] = address.split(":");
  const server = createServer((socket) => {
    onConnection();
    const onward = connectTo({ host, port: Number(port) });
    socket.pipe(onward).pipe(socket);
    for (const each of [socket, onward]) each.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push({ [Symbol.asyncDispose]: async () => void server.close() });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a name is resolved to its pods", async () => {
  const pod = await startPod();
  const { pool } = await connect(pod.address.replace("127.0.0.1", "localhost"));
  expect(await pool.request("key", ask)).toBe(pod.address);
});
