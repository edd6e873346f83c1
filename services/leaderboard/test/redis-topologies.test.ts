/** Boards on a cluster and behind sentinels, of which parts die, are emptied, or lose what they had. */
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { Authority, type CertificateFiles } from "@fanfare/common/servers/certificates";
import { partitionOf } from "@fanfare/proto/addresses";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { RedisBoards } from "../src/adapters/redis-boards.js";
import { connectRedis, type RedisCommands } from "../src/adapters/redis-connection.js";
import { readConfig } from "../src/config.js";
import { redisAccess } from "../src/redis-settings.js";
import { type Answer, answered, created, joined, type Published, roundClosed } from "./events.js";
import { RedisCluster, startMember, WatchedRedis } from "./redis-topologies.js";
import { type ReferenceBoard, referenceBoards } from "./reference-board.js";
import { eventually, Stack } from "./stack.js";
import { startTalkativeSentinel } from "./talkative-sentinel.js";

/** Of many partitions, so that each node of a cluster has some. */
const SESSIONS = Array.from({ length: 12 }, (_, i) => `quiz_${i}`);
const PLAYERS = Array.from({ length: 200 }, (_, i) => `player${i}`);

let folder: string;
let certificate: CertificateFiles;
let stack: Stack;
const opened: AsyncDisposable[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-redis-tls-"));
  const authority = await Authority.create(folder);
  certificate = await authority.issue(["DNS:localhost", "IP:127.0.0.1"]);
  expect(new Set(SESSIONS.map(partitionOf)).size).toBeGreaterThan(6);
});

afterEach(async () => {
  await stack?.[Symbol.asyncDispose]();
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function answersOf(round: number): Answer[] {
  return PLAYERS.map((playerId, i) => ({
    playerId,
    points: (i * 37 + round) % 1_000,
    elapsedMs: i,
  }));
}

/** A closed round and an open one in each session; the first half ends before the second round. */
function games(): { log: Published[]; half: number } {
  const begin = SESSIONS.flatMap((session) => [
    created(session, { liveBoard: true }),
    joined(session, PLAYERS),
    answered(session, 1, answersOf(1)),
    roundClosed(session, 1, answersOf(1)),
  ]);
  const more = SESSIONS.flatMap((session) =>
    [0, 50, 100, 150].map((from) => answered(session, 2, answersOf(2).slice(from, from + 50))),
  );
  return { log: [...begin, ...more], half: begin.length };
}

/** A reader of boards as a pod has it. */
function connect(settings: Record<string, string>): RedisCommands {
  const lifecycle = new Lifecycle(createLogger("test", "silent"));
  opened.push({ [Symbol.asyncDispose]: () => lifecycle.close() });
  const config = readConfig({ TOKEN_SECRET: "x".repeat(32), ...settings });
  return connectRedis(redisAccess(config), "test", lifecycle);
}

async function boardOf(redis: RedisCommands, session: string): Promise<ReferenceBoard | string> {
  const board = await new RedisBoards(redis).read(session, { kind: "top", size: 1_000 });
  if (typeof board === "string") return board;
  const { finalRound, joined, ended } = board;
  const rows = board.rows.map(({ scorer, points, elapsedMs }) => ({
    playerId: scorer,
    points,
    elapsedMs,
  }));
  return { rows, finalRound, joined, ended };
}

/** Waits until every session's board is that of the log. */
/** A sentinel that gets no CPU for two seconds does nothing for the next thirty (its TILT mode). */
const FAILOVER_LIMIT_MS = 50_000;
vi.setConfig({ testTimeout: 150_000 });

async function awaitBoards(redis: RedisCommands, log: Published[], limitMs = FAILOVER_LIMIT_MS) {
  for (const [session, expected] of referenceBoards(log))
    await eventually(
      () => boardOf(redis, session).catch(String),
      (board) => JSON.stringify(board) === JSON.stringify(expected),
      limitMs,
    );
}

async function startStack(settings: Record<string, string>) {
  stack = await Stack.start();
  const pod = await stack.startPod("pod-a", settings);
  return { pod, redis: connect(settings) };
}

describe("a cluster of three nodes", () => {
  async function startCluster() {
    const cluster = await RedisCluster.start(3);
    opened.push(cluster);
    const started = await startStack({ REDIS_URL: `redis+cluster://${cluster.url}` });
    return { cluster, ...started };
  }

  test("holds the boards of all partitions, on all nodes", async () => {
    const { cluster, pod, redis } = await startCluster();
    const { log } = games();
    await stack.publish(...log);
    await awaitBoards(redis, log);
    for (const node of cluster.connections) expect(await node.dbsize()).toBeGreaterThan(0);
    expect(await pod.count("quiz_audit_runs_total")).toBe(SESSIONS.length);
    expect(await pod.count("quiz_audit_mismatches_total")).toBe(0);
  });

  test("of which one node or all are emptied: the boards are built again", async () => {
    const { cluster, redis } = await startCluster();
    const { log, half } = games();
    await stack.publish(...log.slice(0, half));
    await awaitBoards(redis, log.slice(0, half));
    await cluster.connections[1]?.flushall();
    await awaitBoards(redis, log.slice(0, half));
    await Promise.all(cluster.connections.map((each) => each.flushall("SYNC")));
    await stack.publish(...log.slice(half));
    await awaitBoards(redis, log);
  });

  test("of which a node is killed and comes back empty: its boards are built again", async () => {
    const { cluster, pod, redis } = await startCluster();
    const { log, half } = games();
    await stack.publish(...log.slice(0, half));
    await awaitBoards(redis, log.slice(0, half));
    await cluster.nodes[2]?.kill("SIGKILL");
    await stack.publish(...log.slice(half));
    await cluster.nodes[2]?.restart();
    await cluster.untilWhole();
    await awaitBoards(redis, log);
    expect(await pod.count("quiz_leaderboard_rebuilds_total", { reason: "empty" })).toBeGreaterThan(
      0,
    );
  });

  test("whose slots move is followed, and gets the scripts where it has none", async () => {
    const { cluster, redis } = await startCluster();
    const { log, half } = games();
    await stack.publish(...log.slice(0, half));
    await awaitBoards(redis, log.slice(0, half));
    await Promise.all(cluster.connections.map((each) => each.script("FLUSH")));
    await moveAllSlots(cluster, 0, 1);
    await stack.publish(...log.slice(half));
    await awaitBoards(redis, log);
  });
});

test.each(["SIGKILL", "SIGSTOP"] as const)(
  "a cluster's node that gets a %s is left for its replica",
  async (signal) => {
    const cluster = await RedisCluster.start(3);
    opened.push(cluster);
    await cluster.addReplica(0);
    const { redis } = await startStack({ REDIS_URL: `redis+cluster://${cluster.url}` });
    const { log, half } = games();
    await stack.publish(...log.slice(0, half));
    await awaitBoards(redis, log.slice(0, half));
    await cluster.nodes[0]?.kill(signal);
    try {
      await stack.publish(...log.slice(half));
      await awaitBoards(redis, log);
    } finally {
      await cluster.nodes[0]?.kill("SIGCONT");
    }
  },
);

/** Gives the slots of one node to another, keys and all, as `redis-cli --cluster rebalance` does. */
async function moveAllSlots(cluster: RedisCluster, from: number, to: number): Promise<void> {
  const [source, target] = [cluster.connections[from], cluster.connections[to]];
  const port = cluster.nodes[to]?.port;
  if (!source || !target || !port) throw new Error("no such node");
  const [sourceId, targetId] = [await source.cluster("MYID"), await target.cluster("MYID")];
  const keys = await source.keys("*");
  const slots = new Set(await Promise.all(keys.map((key) => source.cluster("KEYSLOT", key))));
  for (const slot of slots) {
    await target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", sourceId);
    await source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", targetId);
    for (;;) {
      const some = (await source.call("CLUSTER", "GETKEYSINSLOT", slot, 100)) as string[];
      if (some.length === 0) break;
      await source.call("MIGRATE", "127.0.0.1", port, "", 0, 5_000, "KEYS", ...some);
    }
    for (const each of [target, source])
      await each.call("CLUSTER", "SETSLOT", slot, "NODE", targetId);
  }
}

describe("a primary behind sentinels", () => {
  const login = { password: "one", sentinelPassword: "two" };

  async function startWatched() {
    const watched = await WatchedRedis.start(login);
    opened.push(watched);
    const started = await startStack({
      REDIS_URL: `redis+sentinel://${watched.url}`,
      REDIS_PASSWORD: login.password,
      REDIS_SENTINEL_PASSWORD: login.sentinelPassword,
    });
    return { watched, ...started };
  }

  test("that dies with writes which its replica never got: they are read from the log", async () => {
    const { watched, pod, redis } = await startWatched();
    const { log, half } = games();
    await stack.publish(...log.slice(0, half));
    await awaitBoards(redis, log.slice(0, half));
    await watched.cutOff();
    await stack.publish(...log.slice(half));
    await awaitBoards(redis, log);
    // Until the pod itself has heard that all is applied, it can't know that the other is behind.
    await eventually(
      () => pod.count("quiz_events_consumed_total"),
      (entries) => entries >= log.length,
    );
    await watched.loseWrites();
    await watched.untilReplaced();
    await awaitBoards(redis, log);
    expect(
      await pod.count("quiz_leaderboard_rebuilds_total", { reason: "behind" }),
    ).toBeGreaterThan(0);
  });

  test("goes on while the sentinels are away, and is left once they are back", async () => {
    const { watched, redis } = await startWatched();
    const { log, half } = games();
    const more = log.length - 10;
    await stack.publish(...log.slice(0, half));
    await awaitBoards(redis, log.slice(0, half));
    await watched.sentinel.kill("SIGKILL");
    await stack.publish(...log.slice(half, more));
    await awaitBoards(redis, log.slice(0, more));
    await watched.sentinel.restart();
    await watched.primary.kill("SIGSTOP");
    try {
      await stack.publish(...log.slice(more));
      await watched.untilReplaced();
      await awaitBoards(redis, log);
    } finally {
      await watched.primary.kill("SIGCONT");
    }
  });

  test("that hangs is left for the one that the sentinel names", async () => {
    const { watched, redis } = await startWatched();
    const { log, half } = games();
    await stack.publish(...log.slice(0, half));
    await awaitBoards(redis, log.slice(0, half));
    await watched.primary.kill("SIGSTOP");
    try {
      await stack.publish(...log.slice(half));
      await watched.untilReplaced();
      await awaitBoards(redis, log);
    } finally {
      await watched.primary.kill("SIGCONT");
    }
    // The old primary wakes, is made a replica, and nobody is led astray by it.
    await stack.publish(answered(SESSIONS[0] ?? "", 3, answersOf(3)));
    await awaitBoards(redis, [...log, answered(SESSIONS[0] ?? "", 3, answersOf(3))]);
  });
});

/** As docs/operations.md says. */
const RIGHTS = "~fanfare:* +@read +@write +@scripting +@connection +info +time +cluster".split(" ");

test.each(["one server", "a cluster"])(
  "on %s a user has enough with the rights that the docs name",
  async (kind) => {
    const isCluster = kind === "a cluster";
    const cluster = await RedisCluster.start(isCluster ? 3 : 1);
    opened.push(cluster);
    const user = ["fanfare", "on", ">a secret", ...RIGHTS];
    for (const each of cluster.connections) await each.call("ACL", "SETUSER", ...user);
    const { redis } = await startStack({
      REDIS_URL: isCluster ? `redis+cluster://${cluster.url}` : `redis://${cluster.url}`,
      REDIS_USERNAME: "fanfare",
      REDIS_PASSWORD: "a secret",
    });
    const { log } = games();
    await stack.publish(...log);
    await awaitBoards(redis, log);
    await expect(redis.smembers("another's key")).rejects.toThrow("NOPERM");
  },
);

test("a connection that has fallen silent is given up for a new one", async () => {
  const server = await startMember({});
  opened.push(server);
  const line = await startLine(server.port);
  opened.push(line);
  const { redis } = await startStack({ REDIS_URL: `redis://127.0.0.1:${line.port}` });
  const { log, half } = games();
  await stack.publish(...log.slice(0, half));
  await awaitBoards(redis, log.slice(0, half));
  line.silence();
  await stack.publish(...log.slice(half));
  await awaitBoards(redis, log);
});

test("that a sentinel tells of a fail-over while it is asked for the primary leaves nobody behind", async () => {
  const primary = await startMember({});
  opened.push(primary);
  const sentinel = await startTalkativeSentinel(primary.port);
  opened.push(sentinel);
  const redis = connect({ REDIS_URL: `redis+sentinel://127.0.0.1:${sentinel.port}/mymaster` });
  const answers = () => boardOf(redis, "quiz_1").catch(String);
  const isServed = (board: unknown) => !String(board).includes("can't be reached");
  await eventually(answers, isServed);
  await sentinel.subscribed;
  await primary.kill("SIGKILL");
  await primary.restart();
  await sentinel.told;
  await eventually(answers, isServed);
});

/** Passes bytes on, until its connections are made silent, as those to a machine that is gone. */
async function startLine(port: number) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connectSocket({ host: "127.0.0.1", port });
    socket.pipe(onward).pipe(socket);
    for (const each of [socket, onward]) sockets.add(each.on("error", () => {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    silence() {
      for (const each of sockets) each.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      for (const each of sockets) each.destroy();
      server.close();
    },
  };
}

describe("with TLS", () => {
  const files = () => ({
    REDIS_CA_FILE: certificate.caFile,
    REDIS_CERT_FILE: certificate.certFile,
    REDIS_KEY_FILE: certificate.keyFile,
  });

  test.each([
    [
      "one server",
      async () => {
        const server = await startMember({ tls: certificate, password: "one" });
        opened.push(server);
        return { REDIS_URL: `rediss://localhost:${server.port}`, REDIS_PASSWORD: "one" };
      },
    ],
    [
      "sentinels",
      async () => {
        const watched = await WatchedRedis.start({ tls: certificate });
        opened.push(watched);
        return { REDIS_URL: `rediss+sentinel://${watched.url}` };
      },
    ],
    [
      "a cluster",
      async () => {
        const cluster = await RedisCluster.start(3, { tls: certificate });
        opened.push(cluster);
        return { REDIS_URL: `rediss+cluster://${cluster.url}` };
      },
    ],
  ])("%s hold boards for who shows a certificate", async (_what, start) => {
    const settings = await start();
    const { redis } = await startStack({ ...settings, ...files() });
    const { log } = games();
    await stack.publish(...log);
    await awaitBoards(redis, log);
    const { REDIS_CA_FILE } = files();
    const stranger = connect({ ...settings, REDIS_CA_FILE });
    await expect(
      new RedisBoards(stranger).read(SESSIONS[0] ?? "", { kind: "top", size: 1 }),
    ).rejects.toThrow("Redis");
  });
});
