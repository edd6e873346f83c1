/** The connection to NATS: waiting, refusing, coming back; and the log that the server really keeps. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server as Listener } from "node:net";
import {
  PARTITIONS,
  partitionOf,
  readStoredSubject,
  STREAMS,
  storedSubject,
  subjectForScore,
} from "@fanfare/proto/addresses";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectBus, isWrongLastSequence } from "../src/bus.js";
import { freePort } from "../src/servers/free-port.js";
import { findNats } from "../src/servers/install-nats.js";
import { type NatsServer, startNats } from "../src/servers/nats.js";
import { eventually, newLifecycle } from "./parts.js";

let nats: NatsServer;
const opened: (() => Promise<unknown> | unknown)[] = [];

beforeAll(async () => {
  nats = await startNats({ syncInterval: "2m" });
});

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

afterAll(() => nats?.[Symbol.asyncDispose]());

function newPod(name = "test") {
  const pod = newLifecycle();
  opened.push(() => pod.lifecycle.close());
  const connect = (url = nats.url, logBytesMax = 0) =>
    connectBus({ url, name, replicas: 1, logBytesMax }, pod.lifecycle);
  return { ...pod, connect };
}

/** Answers like a nats-server of this version; `greet` may say something else after that. */
async function startFake(version: string, afterConnect = "PONG\r\n"): Promise<string> {
  const listener: Listener = createServer((socket) => {
    const info = { server_id: "fake", version, proto: 1, headers: true, max_payload: 1_048_576 };
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.on("data", (data) => {
      if (data.includes("PING")) socket.write(afterConnect);
    });
    socket.on("error", () => {});
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  opened.push(() => listener.close());
  const address = listener.address();
  return `nats://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

describe("the log", () => {
  test("has the partition that we work out, for any session", async () => {
    const { connect } = newPod();
    const bus = await connect();
    const letters = "ABCXYZabcxyz019_-";
    const sessions = Array.from({ length: 400 }, (_, i) =>
      Array.from(
        { length: 1 + (i % 64) },
        (_, k) => letters[(i * 7 + k * k + (i >> 3)) % letters.length],
      ).join(""),
    );
    const subjects = [...new Set(sessions)].map((sessionId) =>
      subjectForScore({ sessionId, round: 1, outsider: "u" }),
    );
    await Promise.all(subjects.map((subject) => bus.js.publish(subject, "1")));
    const stored: string[] = [];
    const batch = await bus.jsm.direct.getBatch(STREAMS.log, { seq: 1, batch: 1_000 });
    for await (const { subject } of batch) stored.push(subject);
    expect([...stored].sort()).toEqual(subjects.map(storedSubject).sort());
    const partitions = new Set<number>();
    for (const subject of stored) {
      const read = readStoredSubject(subject);
      if (typeof read === "string") throw new Error(read);
      partitions.add(partitionOf(read.sessionId));
    }
    expect(partitions.size).toBe(PARTITIONS);
  });

  test("takes whatever is published under QUIZ, acknowledges it, and stores it where we expect", async () => {
    const own = await startNats({ syncInterval: "2m" });
    opened.push(() => own[Symbol.asyncDispose]());
    const bus = await newPod().connect(own.url);
    const subjects = [
      "QUIZ.s.1.u",
      "QUIZ.s",
      "QUIZ.s.1",
      "QUIZ.s.1.first.last",
      "QUIZ.s.1.jane@example.org",
      "QUIZ.jane@home.1.u",
      "QUIZ.ü.eins.Zoë",
      "QUIZ.s.1.*",
      "QUIZ.*.1.u",
      "QUIZ.>",
      `QUIZ.s.1.${"u".repeat(1_000)}`,
    ];
    const stored: string[] = [];
    for (const subject of subjects) {
      // As any client can, also where the library would refuse the subject.
      const reply = await bus.nc.request(subject, "1", { timeout: 2_000 });
      const { seq } = reply.json<{ seq: number }>();
      const entry = await bus.jsm.streams.getMessage(STREAMS.log, { seq });
      stored.push(entry?.subject ?? "");
    }
    expect(stored).toEqual(subjects.map(storedSubject));
  });

  test("that an older version made takes it, too, once a pod has started", async () => {
    const own = await startNats({ syncInterval: "2m" });
    opened.push(() => own[Symbol.asyncDispose]());
    const bus = await newPod().connect(own.url);
    const subjects = "QUIZ.*.*.*";
    const dest = `LOG.{{partition(${PARTITIONS},1)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}`;
    await bus.jsm.streams.update(STREAMS.log, {
      subjects: [subjects],
      subject_transform: { src: subjects, dest },
    });
    const odd = "QUIZ.s.1.first.last";
    await expect(bus.js.publish(odd, "1")).rejects.toThrow();
    await newPod().connect(own.url);
    await bus.js.publish(odd, "1");
  });

  test("refuses what does not follow the expected entry, and says it in a known way", async () => {
    const bus = await newPod().connect();
    const subject = subjectForScore({ sessionId: "fenced", round: 1, outsider: "u" });
    const expect0 = { expect: { lastSubjectSequence: 0 } };
    await bus.js.publish(subject, "1", expect0);
    const refusal: unknown = await bus.js.publish(subject, "1", expect0).catch((error) => error);
    expect(isWrongLastSequence(refusal)).toBe(true);
    expect(isWrongLastSequence(new Error("timeout"))).toBe(false);
  });

  test("is made once, whoever comes first, and keeps what an operator set", async () => {
    const [first, second] = await Promise.all([newPod().connect(), newPod().connect()]);
    await first.jsm.streams.update(STREAMS.log, { max_bytes: 1_000_000_000 });
    await newPod().connect();
    const { config } = await second.jsm.streams.info(STREAMS.log);
    expect(config).toMatchObject({ max_bytes: 1_000_000_000, discard: "new", storage: "file" });
    await newPod().connect(nats.url, 2_000_000_000);
    expect((await second.jsm.streams.info(STREAMS.log)).config.max_bytes).toBe(2_000_000_000);
    await second.jsm.streams.update(STREAMS.log, { max_bytes: -1 });
  });
});

test("streams that fill a server's volume are taken as they are by those who start later", async () => {
  const small = await startNats({ fileStoreMax: "1GB" });
  opened.push(() => small[Symbol.asyncDispose]());
  const limit = 768 * 2 ** 20;
  for (let start = 1; start <= 3; start++) {
    const bus = await newPod(`start-${start}`).connect(small.url, limit);
    const { config } = await bus.jsm.streams.info(STREAMS.log);
    expect(config.max_bytes).toBe(limit);
  }
});

describe("a listener", () => {
  test("that throws is passed over: the next message comes, and the connection stands", async () => {
    const { connect, lines } = newPod();
    const bus = await connect();
    const heard: string[] = [];
    bus.listen("news", (message) => {
      if (message.string() === "bad") throw new Error("can't read it");
      heard.push(message.string());
    });
    for (const word of ["one", "bad", "two"]) bus.nc.publish("news", word);
    await eventually("both are heard", () => heard.length === 2);
    expect(heard).toEqual(["one", "two"]);
    expect(bus.nc.isClosed()).toBe(false);
    expect(lines).toMatchObject([{ msg: "message passed over", subject: "news" }]);
  });

  test("to reconnects that throws does not keep the others from hearing, nor the next time", async () => {
    const own = await startNats({ syncInterval: "2m" });
    opened.push(() => own[Symbol.asyncDispose]());
    const { connect } = newPod();
    const bus = await connect(own.url);
    let count = 0;
    bus.onReconnect(() => {
      throw new Error("not ready for that");
    });
    const stop = bus.onReconnect(() => count++);
    for (let times = 1; times <= 2; times++) {
      await own.kill("SIGKILL");
      await eventually("the loss is known", () => !bus.connected());
      await own.restart();
      await eventually("it is back", () => bus.connected() && count === times);
    }
    stop();
    await own.kill("SIGKILL");
    await eventually("the loss is known", () => !bus.connected());
    await own.restart();
    await eventually("it is back", () => bus.connected());
    expect(count).toBe(2);
  });
});

describe("at the start", () => {
  test("NATS that is not there yet is waited for, with a line in the log", async () => {
    const port = await freePort();
    const { connect, lines } = newPod();
    const connecting = connect(`nats://127.0.0.1:${port}`);
    await eventually("the wait is told", () => lines.length > 0);
    const own = await startNats({ port, syncInterval: "2m" });
    opened.push(() => own[Symbol.asyncDispose]());
    expect((await connecting).connected()).toBe(true);
    expect(lines).toMatchObject([{ level: 40, msg: "NATS can't be reached; trying again" }]);
  });

  test("NATS is not waited for beyond the stop", async () => {
    const { connect, lifecycle, lines } = newPod();
    const connecting = connect(`nats://127.0.0.1:${await freePort()}`);
    const refused = expect(connecting).rejects.toThrow(
      "NATS can't be reached, and the process stops",
    );
    await eventually("it waits", () => lines.length > 0);
    await lifecycle.close();
    await refused;
  });

  test("a server without JetStream is waited for too, and named in the log", async () => {
    const port = await freePort();
    const { path } = await findNats({});
    const child: ChildProcess = spawn(path, ["-a", "127.0.0.1", "-p", String(port)], {
      stdio: "ignore",
    });
    opened.push(async () => {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    });
    const { connect, lifecycle, lines } = newPod();
    const connecting = connect(`nats://127.0.0.1:${port}`);
    const refused = expect(connecting).rejects.toThrow("JetStream is not ready, and the process");
    await eventually("it is told", () =>
      lines.some(({ msg }) => msg === "JetStream is not ready; trying again"),
    );
    await lifecycle.close();
    await refused;
  });

  test.each(["2.9.10", "2.11.99", "1.4.1", "0.0.0"])(
    "nats-server %s is refused",
    async (version) => {
      const url = await startFake(version);
      const { connect } = newPod();
      await expect(connect(url)).rejects.toThrow(
        `nats-server ${version} is too old: 2.12 or newer is needed`,
      );
    },
  );

  test("a server that does not let us in is no server to wait for", async () => {
    const url = await startFake("2.15.2", "-ERR 'Authorization Violation'\r\n");
    await expect(newPod().connect(url)).rejects.toThrow(/authorization/i);
  });

  test("an address that is none is told at once", async () => {
    await expect(newPod().connect("not an address")).rejects.toThrow("Invalid URL");
  });
});

test("a stop while NATS is away takes no more than a moment", async () => {
  const own = await startNats({ syncInterval: "2m" });
  opened.push(() => own[Symbol.asyncDispose]());
  const { connect, lifecycle } = newPod();
  const bus = await connect(own.url);
  await own.kill("SIGKILL");
  await eventually("the loss is known", () => !bus.connected());
  const startedAt = performance.now();
  await lifecycle.close();
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  expect(bus.nc.isClosed()).toBe(true);
});

test("what was published before the stop has left the process", async () => {
  const listening = await newPod().connect();
  let heard = 0;
  listening.listen("farewell", () => heard++);
  await listening.nc.flush();
  const { connect, lifecycle } = newPod();
  const bus = await connect();
  for (let i = 0; i < 1_000; i++) bus.nc.publish("farewell", "bye");
  await lifecycle.close();
  await eventually("all are heard", () => heard === 1_000);
});
