import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "vitest";
import WebSocket from "ws";
import { Backstage, rows, SECRET } from "./backstage.js";
import { until } from "./gateway.js";

const N = Number(process.env.N ?? 3000);
function cpu(pid: number) {
  const f = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(f[11]) + Number(f[12])) * 10;
}

import { readdirSync } from "node:fs";

function tasks(pid: number) {
  return readdirSync(`/proc/${pid}/task`).map((t) => {
    const raw = readFileSync(`/proc/${pid}/task/${t}/stat`, "utf8");
    const f = raw.split(") ")[1]!.split(" ");
    return [t, Number(f[11]) * 10, Number(f[12]) * 10] as const;
  });
}
function rss(pid: number) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
}

test("bench", async () => {
  const b = await Backstage.open();
  process.on("exit", () => child?.kill("SIGKILL"));
  var child = spawn(
    process.execPath,
    [
      ...(process.env.PROF
        ? ["--cpu-prof", "--cpu-prof-dir=/tmp/gw/prof", "--cpu-prof-interval=250"]
        : []),
      ...(process.env.NODE_ARGS ? process.env.NODE_ARGS.split(" ") : []),
      "services/gateway/dist/main.js",
    ],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        NATS_URL: b.nats.url,
        QUIZ_URL: `127.0.0.1:${b.quizPort}`,
        LEADERBOARD_URL: `127.0.0.1:${b.leaderboardPort}`,
        TOKEN_SECRET: SECRET,
        HTTP_PORT: "0",
        ADMIN_PORT: "0",
        DRAIN_MS: "0",
        DRAIN_SPREAD_MS: "1000",
        JOINS_PER_SECOND_PER_IP: "100000",
      },
    },
  );
  const bare = spawn(process.execPath, ["/tmp/gw/bare.mjs"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const barePort = await new Promise<number>((r) =>
    bare.stdout.on("data", (d) => {
      const m = /"httpPort":(\d+)/.exec(String(d));
      if (m) r(Number(m[1]));
    }),
  );
  const port = await new Promise<number>((r) =>
    child.stdout.on("data", (d) => {
      const m = /"httpPort":(\d+)/.exec(String(d));
      if (m) r(Number(m[1]));
      else console.log(String(d));
    }),
  );
  const pid = child.pid!;
  await b.putSession("s1", { options: { lanes: 1, boardSize: 10, playersMax: 20000 } });
  const socks: WebSocket[] = [];
  let joined = 0,
    accepted = 0,
    own = 0,
    boards = 0,
    questions = 0;
  let acks: number[] = [];
  const sentAt: number[] = [];
  let ownLast = 0;
  const r0 = rss(pid);
  let c = cpu(pid);
  let t = performance.now();
  for (let i = 0; i < N; i++) {
    const w = new WebSocket(`ws://127.0.0.1:${port}/v1/socket`, { perMessageDeflate: false });
    socks.push(w);
    w.on("open", () =>
      w.send(
        JSON.stringify({
          hello: {
            protocolVersion: 1,
            join: { sessionId: "s1", nickname: `player${i}`, submissionId: `j${i}` },
          },
        }),
      ),
    );
    w.on("message", (d) => {
      const s = String(d);
      if (s.startsWith('{"joined')) joined++;
      else if (s.startsWith('{"accepted')) {
        accepted++;
        acks.push(performance.now() - sentAt[i]!);
      } else if (s.startsWith('{"ownResult')) {
        own++;
        ownLast = performance.now();
      } else if (s.startsWith('{"board')) boards++;
      else if (s.startsWith('{"question')) questions++;
    });
    if (i % 50 === 49) await delay(10);
  }
  await until("joined", () => joined === N, 20000);
  console.log(
    `join ${N}: ${(((cpu(pid) - c) * 1000) / N).toFixed(0)} us each, ${(performance.now() - t).toFixed(0)} ms`,
  );
  await delay(1500);
  console.log(`rss per socket ${((rss(pid) - r0) / N).toFixed(1)} KiB (rss ${rss(pid)})`);
  let bareAcc = 0;
  const bs: WebSocket[] = [];
  let bj = 0;
  for (let i = 0; i < N; i++) {
    const w = new WebSocket(`ws://127.0.0.1:${barePort}/v1/socket`, { perMessageDeflate: false });
    bs.push(w);
    w.on("open", () => w.send(JSON.stringify({ hello: 1 })));
    w.on("message", (d) => {
      const s = String(d);
      if (s.startsWith('{"acc')) bareAcc++;
      else if (s.startsWith('{"joined')) bj++;
    });
    if (i % 50 === 49) await delay(10);
  }
  await until("bj", () => bj === N, 20000);
  const bareRound = async (R: number) => {
    bareAcc = 0;
    const c = cpu(bare.pid!);
    for (let i = 0; i < N; i++) {
      bs[i]!.send(
        JSON.stringify({ answer: { round: R, choices: ["A"], submissionId: `a${R}-${i}` } }),
      );
      if (i % 25 === 24) await delay((25 * 1000) / N);
    }
    await until("b", () => bareAcc === N);
    await delay(200);
    console.log(`bare ${(((cpu(bare.pid!) - c) * 1000) / N).toFixed(1)} us each`);
  };
  for (let R = 1; R <= Number(process.env.ROUNDS ?? 4); R++) {
    questions = 0;
    accepted = 0;
    own = 0;
    acks = [];
    b.director.batches.length = 0;
    c = cpu(pid);
    await b.openRound("s1", R);
    await until("q", () => questions === N, 20000);
    await delay(300);
    console.log(`question fan-out ${(((cpu(pid) - c) * 1000) / N).toFixed(1)} us each`);
    if (!process.env.PROF) await bareRound(R);
    const perf =
      process.env.PERF && R === 3
        ? spawn(
            "perf",
            ["record", "-F", "2000", "-g", "-o", "/tmp/gw/perf.data", "-p", String(pid)],
            { stdio: "ignore" },
          )
        : undefined;
    if (perf) await delay(500);
    const t0 = tasks(pid);
    c = cpu(pid);
    t = performance.now();
    for (let i = 0; i < N; i++) {
      sentAt[i] = performance.now();
      socks[i]!.send(
        JSON.stringify({ answer: { round: R, choices: ["A"], submissionId: `a${R}-${i}` } }),
      );
      if (i % 25 === 24) await delay((25 * 1000) / N);
    }
    await until(
      "acc",
      () => accepted === N,
      30000,
      () => accepted,
    );
    const ms = performance.now() - t;
    await delay(300);
    if (perf) {
      perf.kill("SIGINT");
      await delay(1500);
    }
    const t1 = tasks(pid);
    console.log(
      "threads us user/sys per answer: " +
        t1
          .map(([id, u, k]) => {
            const z = t0.find(([i]) => i === id);
            return `${(((u - (z?.[1] ?? 0)) * 1000) / N).toFixed(0)}/${(((k - (z?.[2] ?? 0)) * 1000) / N).toFixed(0)}`;
          })
          .join(" "),
    );
    acks.sort((a, z) => a - z);
    console.log(
      `answers ${N} in ${ms.toFixed(0)} ms: ${(((cpu(pid) - c) * 1000) / N).toFixed(1)} us CPU each; ack p50 ${acks[N >> 1]!.toFixed(1)} p99 ${acks[Math.floor(N * 0.99)]!.toFixed(1)}; batches ${b.director.batches.length}`,
    );
    if (process.env.PROF) continue;
    c = cpu(pid);
    t = performance.now();
    await b.reveal("s1", R);
    await until(
      "own",
      () => own === N,
      30000,
      () => own,
    );
    await delay(600);
    console.log(
      `reveal to last own ${(ownLast - t).toFixed(0)} ms; ${(((cpu(pid) - c) * 1000) / N).toFixed(1)} us each`,
    );
  }
  c = cpu(pid);
  boards = 0;
  for (let k = 0; k < 10; k++) {
    await b.publishBoard("s1", { standings: rows(100, `k${k}`), players: 3000 + k, finalRound: 1 });
    await delay(400);
  }
  await delay(600);
  console.log(`boards ${boards}: ${(((cpu(pid) - c) * 1000) / boards).toFixed(1)} us each`);
  const ex = new Promise((r) => child.on("exit", (code) => r(code)));
  t = performance.now();
  child.kill("SIGTERM");
  bare.kill();
  console.log("exit", await ex, (performance.now() - t).toFixed(0), "ms");
  await b.close();
}, 180_000);
