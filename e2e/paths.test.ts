/** The paths that people have scripts for: /livescore, outside publishers, odd ids. */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { readHistory } from "./ledgers.js";
import { type Stage, startStage, until } from "./stage.js";

let stage: Stage;
let nc: NatsConnection;

beforeAll(async () => {
  stage = await startStage({ gateways: 2 });
  nc = await connect({ servers: stage.stack.natsUrl });
});

afterAll(async () => {
  await nc?.close();
  await stage?.[Symbol.asyncDispose]();
});

const wsUrl = (path: string, gateway = 0) =>
  `${(stage.stack.gatewayUrls[gateway] ?? "").replace("http", "ws")}${path}`;

/** A socket as wscat opens it, with every frame that came. */
async function watch(path: string, gateway = 0) {
  const frames: string[] = [];
  const socket = new WebSocket(wsUrl(path, gateway));
  socket.on("message", (data) => frames.push(String(data)));
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return { frames, socket, last: () => frames.at(-1) };
}

test("an outside score is on the board within a second, in PostgreSQL soon after, and once", async () => {
  const watcher = await watch("/livescore/quiz_1");
  await until(() => watcher.frames.length > 0);
  expect(watcher.frames[0]).toBe("[]");
  const started = performance.now();
  nc.publish("QUIZ.quiz_1.1.someusername", "20");
  await until(() => watcher.last() === '[{"PlayerID":"someusername","Score":20,"Rank":1}]', 2_000);
  expect(performance.now() - started).toBeLessThan(1_000);
  nc.publish("QUIZ.quiz_1.1.someusername", "99");
  nc.publish("QUIZ.quiz_1.1.another", "20.0");
  nc.publish("QUIZ.quiz_1.1.garbage", "many");
  nc.publish("QUIZ.quiz_1.2.zoe", "5");
  const rows = [
    { PlayerID: "another", Score: 20, Rank: 1 },
    { PlayerID: "someusername", Score: 20, Rank: 2 },
    { PlayerID: "zoe", Score: 5, Rank: 3 },
  ];
  await until(() => watcher.last() === JSON.stringify(rows), 3_000);
  const history = await until(async () => {
    const found = await readHistory(stage, "quiz_1", "outsiders");
    return found.answers.size === 3 && found;
  });
  expect(history.points.get("someusername")).toBe(20);
  const metrics = await (
    await fetch(`${stage.stack.process("leaderboard-1").adminUrl}/metrics`)
  ).text();
  expect(metrics).toMatch(/quiz_leaderboard_scores_total\{[^}]*result="duplicate"[^}]*\} 1/);
  expect(metrics).toMatch(/quiz_events_dead_lettered_total\{[^}]*\} 1/);
  watcher.socket.close();
});

test("the whole board up to 100 players, ?limit= up to 1000, through any gateway", async () => {
  for (let i = 0; i < 150; i++) nc.publish(`QUIZ.big.1.user${i}`, String(i));
  const all = await watch("/livescore/big", 0);
  await until(() => (JSON.parse(all.last() ?? "[]") as unknown[]).length === 100);
  const wide = await watch("/livescore/big?limit=1000", 1);
  await until(() => (JSON.parse(wide.last() ?? "[]") as unknown[]).length === 150);
  const narrow = await watch("/livescore/big?limit=2", 1);
  await until(
    () =>
      narrow.last() ===
      '[{"PlayerID":"user149","Score":149,"Rank":1},{"PlayerID":"user148","Score":148,"Rank":2}]',
  );
  for (const { socket } of [all, wide, narrow]) socket.close();
});

test("a watcher that leaves disturbs nobody", async () => {
  const [a, b, c] = [
    await watch("/livescore/leavers"),
    await watch("/livescore/leavers"),
    await watch("/livescore/leavers", 1),
  ];
  nc.publish("QUIZ.leavers.1.x", "1");
  await until(() => a.last()?.includes('"x"') && b.last()?.includes('"x"'));
  a.socket.terminate();
  c.socket.close();
  nc.publish("QUIZ.leavers.1.y", "2");
  await until(() => b.last()?.includes('"y"'));
  b.socket.close();
});

test("the page is at /livescore and at /lovescore", async () => {
  for (const path of ["/livescore/quiz_1", "/lovescore/quiz_1", "/", "/host", "/watch/quiz_1"]) {
    const response = await fetch(`${stage.stack.gatewayUrls[0]}${path}`);
    expect(response.status, path).toBe(200);
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(response.headers.get("content-security-policy")).toContain("script-src 'self';");
  }
});

test("odd ids reach no subject and no key", async () => {
  const heard: string[] = [];
  nc.subscribe(">", {
    callback: (_, { subject }) => {
      heard.push(subject);
    },
  });
  const redis = new Redis(stage.stack.redisUrl);
  const keysBefore = await redis.dbsize();
  const ids = [
    "a.b",
    "*",
    "%3E",
    "a%20b",
    "%F0%9F%8E%BA",
    "x".repeat(65),
    "..%2F..",
    "%00",
    "a%0D%0Ab",
    "'",
    "%7Bp1%7D",
  ];
  for (const id of ids) {
    const socket = new WebSocket(wsUrl(`/livescore/${id}`));
    const status = await new Promise((resolve) => {
      socket.once("unexpected-response", (_, response) => resolve(response.statusCode));
      socket.once("error", () => resolve("error"));
      socket.once("open", () => resolve("open"));
    });
    expect(status, id).toBe(400);
    const reply = await fetch(
      `${stage.stack.gatewayUrls[0]}/leaderboard.v1.LeaderboardService/GetLeaderboard`,
      {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${stage.stack.adminToken}`,
        },
        body: JSON.stringify({ sessionId: decodeURIComponent(id) }),
      },
    );
    expect(reply.status, id).toBe(400);
  }
  await nc.flush();
  expect(await redis.dbsize()).toBe(keysBefore);
  const subjects = heard.filter((subject) =>
    /^(QUIZ|LOG|LEADERBOARD|SESSION|\$KV)\./.test(subject),
  );
  expect(
    subjects.filter((subject) => ids.some((id) => subject.includes(decodeURIComponent(id)))),
  ).toEqual([]);
  await redis.quit();
});
