/** A real gateway on free ports, its metrics, and clients that speak to it over real sockets. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import type { ServerFrame } from "@fanfare/proto/gateway/v1/frames";
import WebSocket from "ws";
import { readConfig } from "../src/config.js";
import { startServer } from "../src/server.js";
import { type Backstage, SECRET } from "./backstage.js";

const WAIT_MS = 5_000;

/** A server frame as JSON: `{question: {round: 1, …}}`. */
// biome-ignore lint/suspicious/noExplicitAny: tests read frames as any client does, untyped
export type FrameJson = Record<NonNullable<ServerFrame["frame"]["case"]>, any>;
type FrameType = keyof FrameJson;

export class TestGateway {
  private constructor(
    readonly httpPort: number,
    readonly adminPort: number,
    readonly lifecycle: Lifecycle,
  ) {}

  /** `overrides` are variables of the environment. */
  static async start(
    backstage: Backstage,
    overrides: Record<string, string> = {},
  ): Promise<TestGateway> {
    const lifecycle = new Lifecycle(createLogger("gateway", process.env.TEST_LOG ?? "silent"));
    const pages = await pagesFolder();
    lifecycle.push("pages", () => rm(pages, { recursive: true, force: true }));
    const config = readConfig({
      NATS_URL: backstage.nats.url,
      QUIZ_URL: `127.0.0.1:${backstage.quizPort}`,
      LEADERBOARD_URL: `127.0.0.1:${backstage.leaderboardPort}`,
      QUIZ_MASTER_URL: "127.0.0.1:1",
      TOKEN_SECRET: SECRET,
      HTTP_PORT: "0",
      ADMIN_PORT: "0",
      LISTEN_HOST: "127.0.0.1",
      DRAIN_MS: "0",
      WARM_UP_MS: "0",
      WEB_ROOT: pages,
      POD_NAME: `gateway-${Math.random().toString(36).slice(2, 8)}`,
      ...overrides,
    });
    try {
      const { httpPort, adminPort } = await startServer(config, lifecycle);
      return new TestGateway(httpPort, adminPort, lifecycle);
    } catch (error) {
      await lifecycle.close();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  stop(): Promise<void> {
    return this.lifecycle.close();
  }

  connect(path = "/v1/socket", headers: Record<string, string> = {}): TestClient {
    return new TestClient(new WebSocket(`ws://127.0.0.1:${this.httpPort}${path}`, { headers }));
  }

  /** A client that has said hello; resolves when it is in. */
  async join(
    sessionId: string,
    nickname: string,
    submissionId = `join-${nickname}`,
  ): Promise<Player> {
    const client = this.connect();
    client.send({ hello: { protocolVersion: 1, join: { sessionId, nickname, submissionId } } });
    const { playerId, resumeToken } = await client.next("joined");
    return Object.assign(client, { playerId, resumeToken }) as Player;
  }

  async resume(resumeToken: string): Promise<TestClient> {
    const client = this.connect();
    client.send({ hello: { protocolVersion: 1, resumeToken } });
    await client.next("joined");
    return client;
  }

  async watch(sessionId: string): Promise<TestClient> {
    const client = this.connect();
    client.send({ hello: { protocolVersion: 1, watch: sessionId } });
    await client.next("joined");
    return client;
  }

  async host(token: string): Promise<TestClient> {
    const client = this.connect();
    client.send({ hello: { protocolVersion: 1, token } });
    await client.next("joined");
    return client;
  }

  /** The value of a metric, with labels in the order of the page: `quiz_limit_hits_total{limit="X"`. */
  async metric(prefix: string): Promise<number> {
    const page = await (await fetch(`http://127.0.0.1:${this.adminPort}/metrics`)).text();
    const lines = page.split("\n").filter((line) => line.startsWith(prefix));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }
}

export type Player = TestClient & { playerId: string; resumeToken: string };

export class TestClient {
  /** All that has come, in order. */
  readonly frames: FrameJson[] = [];
  readonly texts: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly opened: Promise<void>;
  /** Status and text where the upgrade was refused. */
  readonly refused: Promise<{ status: number; text: string }>;
  #read = new Map<FrameType, number>();

  constructor(readonly socket: WebSocket) {
    socket.on("message", (data) => {
      const text = String(data);
      this.texts.push(text);
      this.frames.push(JSON.parse(text) as FrameJson);
    });
    this.closed = new Promise((resolve) =>
      socket.on("close", (code, reason) => resolve({ code, reason: String(reason) })),
    );
    this.opened = new Promise((resolve) => socket.on("open", () => resolve()));
    this.refused = new Promise((resolve) =>
      socket.on("unexpected-response", (_, response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += String(chunk);
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      }),
    );
    socket.on("error", () => {});
  }

  send(frame: unknown): void {
    this.sendText(JSON.stringify(frame));
  }

  sendText(text: string | Buffer): void {
    if (this.socket.readyState === WebSocket.CONNECTING)
      this.socket.once("open", () => this.socket.send(text));
    else this.socket.send(text);
  }

  answer(round: number, choice: string, submissionId: string): void {
    this.send({ answer: { round, choices: [choice], submissionId } });
  }

  /** Frames of one type that have come. */
  // biome-ignore lint/suspicious/noExplicitAny: see FrameJson
  all(type: FrameType): any[] {
    return this.frames.filter((frame) => type in frame).map((frame) => frame[type]);
  }

  /** The next frame of this type that no earlier call has returned. */
  // biome-ignore lint/suspicious/noExplicitAny: see FrameJson
  async next(type: FrameType, limitMs = WAIT_MS): Promise<any> {
    const at = this.#read.get(type) ?? 0;
    this.#read.set(type, at + 1);
    await until(
      `a ${type} frame`,
      () => this.all(type).length > at,
      limitMs,
      () => this.texts,
    );
    return this.all(type)[at];
  }

  close(): void {
    this.socket.close();
  }
}

/** Waits until `condition` holds; fails with what was waited for, and what there was. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = WAIT_MS,
  seen: () => unknown = () => "",
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`waited ${limitMs} ms for ${what}; there was ${JSON.stringify(seen())}`);
    await delay(5);
  }
}

/** A round trip through the gateway's loop: whatever it had to send before has come. */
export async function settled(client: TestClient): Promise<void> {
  const id = Math.floor(Math.random() * 1e9);
  client.send({ ping: { id } });
  await until("pong", () => client.all("pong").some((pong) => pong.id === id));
}

async function pagesFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-pages-"));
  const pages = ["index", "host", "watch", "livescore"];
  await Promise.all(
    pages.map((page) => writeFile(join(folder, `${page}.html`), `<title>${page}</title>`)),
  );
  await writeFile(join(folder, "play.js"), "export {};\n");
  return folder;
}
