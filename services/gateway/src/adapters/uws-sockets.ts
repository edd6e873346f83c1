/**
 * The sockets: who may connect, what comes in, who has left, and how all of them leave when the
 * gateway stops.
 */

import uWS, {
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_socket_context_t,
  type WebSocket,
  type WebSocketBehavior,
} from "uWebSockets.js";
import { setTimeout as pause } from "node:timers/promises";
import { isToken } from "@fanfare/proto/addresses";
import { CLOSE } from "../close-codes.js";
import type { Config } from "../config.js";
import { CLIENT_ROLES, type Client } from "../domain/client.js";
import type { Frame } from "../domain/frame-codec.js";
import { LIVE_SCORE_ROWS_MAX, SNAPSHOT_ROWS } from "../domain/live-scores.js";
import type { GatewayMetrics } from "../metrics.js";
import { BoardDoor } from "./board-door.js";
import { addressOf, isAllowedOrigin, NOT_A_SESSION_ID, replyText } from "./http-reply.js";
import { type Carried, UwsClient } from "./uws-client.js";

/** Beyond this uWebSockets.js closes the socket; up to it, TOO_LARGE says why a frame was refused. */
const PAYLOAD_BYTES_MAX = 16 * 1024;
/** At /livescore nothing has to be said. */
const LIVE_SCORE_PAYLOAD_BYTES_MAX = 1024;
/** Clients per second that the other gateways are asked to take at a stop. */
const DRAIN_CLIENTS_PER_SECOND = 500;
const DRAIN_SLICE_MS = 50;
/** Clients may close with any code: those of others are counted as one. */
const CLOSE_NAMES = new Map<number, string>(
  Object.entries(CLOSE).map(([name, code]) => [code, name]),
);

/** Who deals with clients. */
export interface SocketEvents {
  /** A client at /v1/socket is here; what is sent now goes out with the answer to the upgrade. */
  onOpen(client: Client): void;
  /** A socket at /livescore is here. */
  onLiveScore(client: Client): void;
  /** A client said something; `content` is good for this call only. */
  onFrame(client: Client, content: ArrayBuffer, isBinary: boolean): void;
  /** The gateway stops; the client may stay this long. */
  onLeaving(client: Client, delayMs: number): void;
  /** One of the above threw, which it should not: its socket is closed, the others live on. */
  onFault(error: unknown): void;
}

/** `dropped` is in the library, not in its types. */
type Behavior = WebSocketBehavior<Carried> & { dropped(socket: WebSocket<Carried>): void };

export class UwsSockets {
  readonly #clients = new Set<UwsClient>();
  /** Those who have not said who they are, in the order of coming. */
  readonly #newcomers = new Set<UwsClient>();
  readonly #sweep: NodeJS.Timeout;
  readonly #boards: BoardDoor;
  #leaving: Promise<void> | undefined;

  constructor(
    private readonly config: Config,
    private readonly metrics: GatewayMetrics,
    private readonly events: SocketEvents,
  ) {
    this.#boards = new BoardDoor(config);
    const everyMs = Math.min(1_000, config.HELLO_WITHIN_MS / 4);
    this.#sweep = setInterval(() => this.#endSilent(), everyMs);
  }

  /** Puts the socket paths on the app. */
  serve(app: TemplatedApp): void {
    app.ws<Carried>("/v1/socket", {
      ...this.#behavior(),
      maxPayloadLength: PAYLOAD_BYTES_MAX,
      upgrade: (response, request, context) => {
        const client = this.#admit(response, request);
        if (client) upgrade(response, request, context, client);
      },
      open: (socket) => {
        const client = this.#opened(socket);
        this.#newcomers.add(client);
        this.#guard(client, () => this.events.onOpen(client));
      },
      message: (socket, content, isBinary) => {
        const { client } = socket.getUserData();
        this.#guard(client, () => this.events.onFrame(client, content, isBinary));
      },
    });
    for (const path of ["/livescore/:session", "/livescore/:session/"])
      app.ws<Carried>(path, {
        ...this.#behavior(),
        maxPayloadLength: LIVE_SCORE_PAYLOAD_BYTES_MAX,
        upgrade: (response, request, context) => this.#upgradeLiveScore(response, request, context),
        open: (socket) => {
          const client = this.#opened(socket);
          this.#guard(client, () => this.events.onLiveScore(client));
        },
      });
  }

  /** Open sockets by role, and what waits for all of them. */
  count(): { byRole: ReadonlyMap<string, number>; bufferedBytes: number } {
    // All of them, so that an empty gateway says 0.
    const byRole = new Map<string, number>(CLIENT_ROLES.map((role) => [role, 0]));
    let bufferedBytes = 0;
    for (const client of this.#clients) {
      byRole.set(client.role, (byRole.get(client.role) ?? 0) + 1);
      bufferedBytes += client.waitingBytes();
    }
    return { byRole, bufferedBytes };
  }

  /**
   * Sends everybody away, each after a delay of its own so that the other gateways are not stormed,
   * and resolves when all have left. Safe to repeat.
   */
  leave(): Promise<void> {
    this.#leaving ??= this.#sendAway();
    return this.#leaving;
  }

  async #sendAway(): Promise<void> {
    clearInterval(this.#sweep);
    const admittedMs = (this.#clients.size / DRAIN_CLIENTS_PER_SECOND) * 1_000;
    const spreadMs = Math.min(this.config.DRAIN_SPREAD_MS, admittedMs);
    const startedAt = performance.now();
    const plan = [...this.#clients].map((client) => ({
      client,
      delayMs: Math.random() * spreadMs,
    }));
    plan.sort((a, b) => b.delayMs - a.delayMs);
    for (const { client, delayMs } of plan) this.events.onLeaving(client, Math.round(delayMs));
    while (plan.length > 0) {
      const due = performance.now() - startedAt;
      for (let next = plan.at(-1); next && next.delayMs <= due; next = plan.at(-1)) {
        plan.pop();
        next.client.end(CLOSE.restarting, "this server is restarting");
      }
      await pause(DRAIN_SLICE_MS);
    }
  }

  #behavior(): Behavior {
    const { config, metrics } = this;
    return {
      compression: uWS.DISABLED,
      maxBackpressure: config.SOCKET_BUFFER_BYTES_MAX,
      // Typed as a number by this version and as a boolean by newer ones; both take 1.
      closeOnBackpressureLimit: 1,
      idleTimeout: config.IDLE_TIMEOUT_SECONDS,
      sendPingsAutomatically: true,
      dropped(socket) {
        metrics.dropped.inc({ reason: "slow" });
        socket.getUserData().client.isSlow = true;
      },
      close: (socket, code) => this.#closed(socket.getUserData().client, code),
    };
  }

  /** A client for a request that may become a socket; undefined where it was refused. */
  #admit(response: HttpResponse, request: HttpRequest): UwsClient | undefined {
    const { config, metrics } = this;
    const no = (cause: string, status: string, text: string) => {
      metrics.connects.inc({ result: cause });
      replyText(response, request, status, text);
      return undefined;
    };
    if (this.#clients.size >= config.SOCKETS_MAX) {
      metrics.limitHit("SOCKETS_MAX");
      return no("full", "503 Service Unavailable", "this server is full; try again");
    }
    const [origin, host] = [request.getHeader("origin"), request.getHeader("host")];
    if (!isAllowedOrigin(origin, host, config.ALLOWED_ORIGINS))
      return no("origin", "403 Forbidden", "pages of this origin may not connect");
    return new UwsClient(addressOf(response, request, config.TRUSTED_PROXIES), this.#onSent);
  }

  readonly #onSent = ({ type, text }: Frame) => {
    this.metrics.framesSent.add(type);
    this.metrics.sentBytes.add(Buffer.byteLength(text));
  };

  #upgradeLiveScore(
    response: HttpResponse,
    request: HttpRequest,
    context: us_socket_context_t,
  ): void {
    const sessionId = request.getParameter(0);
    const limit = request.getQuery("limit");
    const fault = liveScoreFault(sessionId, limit);
    if (fault) {
      this.metrics.connects.inc({ result: "path" });
      replyText(response, request, "400 Bad Request", fault);
      return;
    }
    const client = this.#admit(response, request);
    if (!client) return;
    const spent = this.#boards.enter(client.ip, performance.now());
    if (spent) {
      this.metrics.limitHit(spent);
      this.metrics.connects.inc({ result: "boards" });
      replyText(response, request, "429 Too Many Requests", "too many boards from here; wait");
      return;
    }
    client.role = "liveScore";
    client.liveScore = {
      sessionId,
      limit: limit === undefined ? SNAPSHOT_ROWS : Number(limit),
      states: request.getQuery("states") === "1",
    };
    upgrade(response, request, context, client);
  }

  #opened(socket: WebSocket<Carried>): UwsClient {
    const { client } = socket.getUserData();
    client.opened(socket);
    this.#clients.add(client);
    this.metrics.connects.inc({ result: "open" });
    return client;
  }

  /** An error that reaches the library ends the process. */
  #guard(client: UwsClient, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.events.onFault(error);
      client.end(CLOSE.tryAgain, "an internal fault");
    }
  }

  #closed(client: UwsClient, code: number): void {
    const { metrics } = this;
    this.#clients.delete(client);
    this.#newcomers.delete(client);
    if (client.liveScore) this.#boards.leave(client.ip);
    client.left();
    metrics.disconnects.inc({ reason: CLOSE_NAMES.get(code) ?? "other" });
    if (code === CLOSE.replaced) metrics.takeovers.inc();
    if (!client.isSlow) return;
    metrics.slowClosed.inc();
    metrics.limitHit("SOCKET_BUFFER_BYTES_MAX");
  }

  #endSilent(): void {
    const { config, metrics } = this;
    const since = performance.now() - config.HELLO_WITHIN_MS;
    for (const client of this.#newcomers) {
      if (client.openedAt > since) return;
      this.#newcomers.delete(client);
      if (client.role !== "new" || client.greeting) continue;
      metrics.limitHit("HELLO_WITHIN_MS");
      client.end(CLOSE.helloLate, "no hello came");
    }
  }
}

function liveScoreFault(sessionId: string, limit: string | undefined): string | undefined {
  if (!isToken(sessionId)) return NOT_A_SESSION_ID;
  if (limit === undefined) return undefined;
  const isIn =
    /^\d{1,4}$/.test(limit) && Number(limit) >= 1 && Number(limit) <= LIVE_SCORE_ROWS_MAX;
  return isIn ? undefined : `limit is 1 to ${LIVE_SCORE_ROWS_MAX}`;
}

function upgrade(
  response: HttpResponse,
  request: HttpRequest,
  context: us_socket_context_t,
  client: UwsClient,
): void {
  response.upgrade<Carried>(
    { client },
    request.getHeader("sec-websocket-key"),
    request.getHeader("sec-websocket-protocol"),
    request.getHeader("sec-websocket-extensions"),
    context,
  );
}
