/** `make up`: everything that a new user sees, step by step, until somebody stops it. */
import { networkInterfaces } from "node:os";
import { Tokens } from "@fanfare/common/tokens";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { DemoProcess } from "../demo/demo-process.js";
import { DEMO_SESSION } from "../demo/run-demo.js";
import { openDoor } from "../door.js";
import type { Env, Home } from "../home.js";
import { portsFromEnv } from "../stack/ports.js";
import { type Stack, startStack } from "../stack/start-stack.js";
import { Supervisor } from "../stack/supervisor.js";
import { openData } from "./data-folder.js";
import { fillBank } from "./fill-bank.js";
import { finalBlock } from "./final-block.js";
import { followPin, waitForPin } from "./follow-pin.js";
import { claim, release } from "./running.js";

export interface UpOptions {
  env: Env;
  home: Home;
  /** Aborts at the first Ctrl-C. */
  signal: AbortSignal;
  /** Is told of everything that a second Ctrl-C must end at once. */
  onRunning(killAll: () => void): void;
  tell(line: string): void;
}

const HOST_TOKEN_SECONDS = 30 * 86_400;

/** Resolves when all is stopped again. Rejects with a line for people where the start fails. */
export async function runUp(options: UpOptions): Promise<void> {
  const { env, home, signal, tell } = options;
  const began = performance.now();
  const ports = portsFromEnv(env);
  const gatewayUrl = `http://localhost:${ports.gateway}`;
  const listen: Record<string, string> = env.LISTEN_HOST ? { LISTEN_HOST: env.LISTEN_HOST } : {};
  await claim(home, {
    pid: process.pid,
    gatewayUrl,
    quizAddress: `127.0.0.1:${ports.quiz}`,
    natsUrl: env.NATS_URL || `nats://127.0.0.1:${ports.nats}`,
    redisUrl: env.REDIS_URL || `redis://127.0.0.1:${ports.redis}`,
  });
  try {
    const { secret } = await openData(home);
    tell("starting NATS, Redis, PostgreSQL and the services");
    await using stack = await startStack({
      directory: home.folder,
      ports,
      servers: { natsUrl: env.NATS_URL, redisUrl: env.REDIS_URL, postgresUrl: env.POSTGRES_URL },
      tokenSecret: secret,
      env: { gateway: listen },
      logLevel: env.LOG_LEVEL || "info",
      supervise: true,
      onProgress: tell,
      signal,
    });
    tellServers(stack, tell);
    tell("filling the question bank");
    const filled = await fillBank(stack.gatewayUrls, stack.adminToken);
    const { added, questions } = filled;
    tell(`question bank: ${filled.quizzes} quizzes, ${questions} questions, ${added} of them new`);
    await using demo = superviseDemo(stack, tell);
    options.onRunning(() => {
      demo.kill();
      stack.killAll();
    });
    await demo.start();
    const quiz = openDoor(QuizService, stack.gatewayUrls, stack.adminToken);
    const pin = await waitForPin(quiz, DEMO_SESSION, signal);
    const lanUrls = env.LISTEN_HOST
      ? addressesHere().map((ip) => `http://${ip}:${ports.gateway}`)
      : [];
    tell(blockOf(stack, { gatewayUrl, lanUrls, pin, home, began }));
    await followPin(quiz, { sessionId: DEMO_SESSION, pin, signal }, tell);
    tell("stopping");
  } finally {
    release(home);
  }
}

/** Where other devices of this network reach this machine. */
function addressesHere(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all
    .filter(({ internal, family }) => !internal && family === "IPv4")
    .map((at) => at.address);
}

function tellServers(stack: Stack, tell: (line: string) => void): void {
  const { nats, redis, postgres } = stack.servers;
  for (const [name, server] of Object.entries({ NATS: nats, Redis: redis, PostgreSQL: postgres }))
    tell(`${name} ${server.version} at ${server.url}${server.ours ? "" : " (yours)"}`);
  for (const { name, pid } of stack.processes.values()) tell(`${name} ready, process ${pid}`);
}

/** The demo, started again when it dies. */
function superviseDemo(stack: Stack, tell: (line: string) => void) {
  const supervisor = new Supervisor(() => demo, tell);
  const demo = new DemoProcess({
    gatewayUrl: stack.gatewayUrls[0] ?? "",
    directory: stack.directory,
    onExit: (why) => supervisor.ended("demo", why),
  });
  return {
    start: () => demo.restart(),
    kill: () => demo.kill(),
    [Symbol.asyncDispose]: () => {
      supervisor.stop();
      return demo.stop();
    },
  };
}

function blockOf(
  stack: Stack,
  about: { gatewayUrl: string; lanUrls: string[]; pin: string; home: Home; began: number },
): string {
  const { gatewayUrl, lanUrls, pin, home, began } = about;
  const host = { role: "host", subject: "host" } as const;
  return finalBlock({
    gatewayUrl,
    lanUrls,
    pin,
    demoSession: DEMO_SESSION,
    hostToken: new Tokens([stack.tokenSecret]).issue(host, HOST_TOKEN_SECONDS),
    adminToken: stack.adminToken,
    addresses: {
      quiz: stack.quizUrls[0] ?? "",
      leaderboard: stack.leaderboardUrls[0] ?? "",
      "quiz-master": stack.quizMasterUrls[0] ?? "",
    },
    adminUrls: Object.fromEntries(
      [...stack.processes.values()].map(({ name, adminUrl }) => [name, adminUrl]),
    ),
    natsMonitorUrl: stack.servers.nats.monitorUrl,
    data: home.data,
    logs: home.logs,
    seconds: (performance.now() - began) / 1_000,
  });
}
