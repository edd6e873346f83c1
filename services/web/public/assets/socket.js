// @ts-check
/**
 * The one client of /v1/socket: it says hello, comes back after a loss, keeps the server's clock,
 * and brings answers and a host's commands through. Pages listen to the server's frames by name.
 */
import { AnswerOutbox } from "./answer-outbox.js";
import { drawId } from "./ids.js";
import { backoffMs, ReconnectingSocket, socketUrl } from "./reconnecting-socket.js";
import { ServerClock } from "./server-clock.js";

const PROTOCOL_VERSION = 1;
/** What the server's clock is read by, at first and after a step of the device's. */
const PINGS_A_READING = 3;
const PINGS_EVERY_MS = 400;
const STEP_CHECK_MS = 1_000;
const PONG_WAIT_MS = 5_000;
const HEARTBEAT_DEFAULT_S = 20;

/**
 * @typedef {import("@fanfare/proto/gateway/v1/frames").ServerFrameJson} ServerFrame
 * @typedef {import("@fanfare/proto/gateway/v1/frames").ClientFrameJson} ClientFrame
 * @typedef {import("@fanfare/proto/gateway/v1/frames").ClientHelloJson} Hello
 * @typedef {import("@fanfare/proto/gateway/v1/frames").HostCommandJson} HostCommand
 * @typedef {import("@fanfare/proto/gateway/v1/frames").RefusedJson} Refused
 * @typedef {import("@fanfare/proto/gateway/v1/frames").JoinedJson} Joined
 */

/**
 * What a page may listen to: every server frame by its field name, and
 * - `line`: "up" or "down";
 * - `answer`: the current answer changed its state;
 * - `turnedAway`: hello was refused for good, nothing follows;
 * - `waiting`: hello was refused for now and is said again by itself;
 * - `closed`: the server closed for good without a frame that says why.
 * @typedef {{[K in keyof ServerFrame]-?: NonNullable<ServerFrame[K]>} & {
 *   line: "up" | "down",
 *   answer: import("./answer-outbox.js").AnswerState,
 *   turnedAway: Refused,
 *   waiting: Refused,
 *   closed: {code: number, reason: string},
 * }} SocketEvents
 */

/** A host's command that the server refused. */
export class CommandRefused extends Error {
  /** @param {Refused} refused */
  constructor(refused) {
    super(refused.message || "The server refused the command.");
    this.reason = refused.reason;
  }
}

export class FanfareSocket {
  clock = new ServerClock();
  #hello;
  #line;
  #outbox;
  #joined = false;
  #over = false;
  #hellosRefused = 0;
  #lastHeardAt = 0;
  #pingId = 0;
  /** @type {Map<number, number>} */
  #pingSentAt = new Map();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #heartbeat;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #stepCheck;
  /** @type {Map<string, {frame: ClientFrame, done: () => void, fail: (error: Error) => void}>} */
  #commands = new Map();
  /** @type {{[K in keyof SocketEvents]?: ((body: SocketEvents[K]) => void)[]}} */
  #listeners = {};

  /** @param {Omit<Hello, "protocolVersion">} identity */
  constructor(identity) {
    this.#hello = identity;
    this.#outbox = new AnswerOutbox(
      (answer) => this.#joined && this.#send({ answer }),
      (answer) => this.#tell("answer", answer),
    );
    this.#line = new ReconnectingSocket(socketUrl("/v1/socket"), {
      onOpen: () => this.#send({ hello: { protocolVersion: PROTOCOL_VERSION, ...this.#hello } }),
      onText: (text) => this.#heard(text),
      onDown: () => this.#down(),
      onFinal: (code, reason) => this.#final(code, reason),
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#ping();
    });
    this.clock.onStep(() => {
      // A ping that was sent before says nothing of the time now.
      this.#pingSentAt.clear();
      this.#readClock();
    });
  }

  /**
   * @template {keyof SocketEvents} K
   * @param {K} kind
   * @param {(body: SocketEvents[K]) => void} listener
   */
  on(kind, listener) {
    /** @type {((body: SocketEvents[K]) => void)[]} */
    const listeners = this.#listeners[kind] ?? [];
    listeners.push(listener);
    Object.assign(this.#listeners, { [kind]: listeners });
  }

  connect() {
    this.#line.connect();
  }

  stop() {
    this.#joined = false;
    clearInterval(this.#heartbeat);
    this.#line.stop();
  }

  /** Answers the round; what becomes of it is told as `answer` events. */
  answer(/** @type {number} */ round, /** @type {string[]} */ choices) {
    this.#outbox.submit(round, choices);
  }

  /**
   * Resolves once the server has done it, through a lost connection too: every command is safe to
   * send again. Rejects with CommandRefused.
   * @param {Omit<HostCommand, "requestId">} command
   * @returns {Promise<void>}
   */
  command(command) {
    const requestId = drawId();
    const frame = { host: { requestId, ...command } };
    return new Promise((resolve, reject) => {
      this.#commands.set(requestId, { frame, done: resolve, fail: reject });
      if (this.#joined) this.#send(frame);
    });
  }

  #send(/** @type {ClientFrame} */ frame) {
    return this.#line.send(JSON.stringify(frame));
  }

  #heard(/** @type {string} */ text) {
    this.#lastHeardAt = performance.now();
    /** @type {ServerFrame} */
    const frame = JSON.parse(text);
    if (frame.hello) this.clock.restart(frame.hello.serverTime);
    if (frame.hello) this.#beat(frame.hello.heartbeatSeconds || HEARTBEAT_DEFAULT_S);
    if (frame.pong) this.#pong(frame.pong);
    if (frame.reconnect) this.#line.waitAtLeast(frame.reconnect.delayMs ?? 0);
    if (frame.joined) this.#greeted(frame.joined);
    if (frame.accepted) this.#outbox.accepted(frame.accepted);
    if (frame.done) this.#commandEnded(frame.done.requestId)?.done();
    if (frame.ended) this.#over = true;
    if (frame.refused && this.#refused(frame.refused)) return;
    for (const [kind, body] of Object.entries(frame))
      this.#tell(/** @type {keyof ServerFrame} */ (kind), body);
    // After the listeners: they have drawn the question that the answer belongs to.
    if (frame.joined) this.#outbox.joined(frame.joined);
    if (frame.question) this.#outbox.nudge();
    if (frame.reveal) this.#outbox.drop();
    if (frame.removed) this.stop();
  }

  #greeted(/** @type {Joined} */ joined) {
    this.#joined = true;
    this.#over = false;
    this.#hellosRefused = 0;
    this.#line.settle();
    if (joined.resumeToken) this.#hello = { resumeToken: joined.resumeToken };
    this.#tell("line", "up");
    this.#readClock();
    for (const { frame } of this.#commands.values()) this.#send(frame);
  }

  /** Whether the refusal found its owner. */
  #refused(/** @type {Refused} */ refused) {
    if (!this.#joined) {
      if (refused.retryable) {
        const ownMs = backoffMs(this.#hellosRefused++);
        this.#line.waitAtLeast(Math.max(refused.retryAfterMs ?? 0, ownMs));
        this.#line.restart();
        this.#tell("waiting", refused);
      } else {
        this.stop();
        this.#tell("turnedAway", refused);
      }
      return true;
    }
    if (this.#outbox.refused(refused)) return true;
    const command = this.#commandEnded(refused.requestId);
    command?.fail(new CommandRefused(refused));
    return command !== undefined;
  }

  #commandEnded(/** @type {string | undefined} */ requestId) {
    const command = this.#commands.get(requestId ?? "");
    this.#commands.delete(requestId ?? "");
    return command;
  }

  #down() {
    this.#joined = false;
    clearInterval(this.#heartbeat);
    this.#pingSentAt.clear();
    // A player has nothing to come back for once it is over; the next session of the same name
    // may have been meant for those who watch.
    if (this.#over && this.#hello.resumeToken) this.stop();
    else this.#tell("line", "down");
  }

  #final(/** @type {number} */ code, /** @type {string} */ reason) {
    this.#joined = false;
    clearInterval(this.#heartbeat);
    for (const command of this.#commands.values()) command.fail(new Error("The server hung up."));
    this.#commands.clear();
    if (!this.#over) this.#tell("closed", { code, reason });
  }

  /** A silent line is asked for a sign of life, as a browser does not notice a dead one. */
  #beat(/** @type {number} */ seconds) {
    clearInterval(this.#heartbeat);
    clearInterval(this.#stepCheck);
    this.#stepCheck = setInterval(() => this.clock.checkStep(), STEP_CHECK_MS);
    this.#heartbeat = setInterval(() => {
      if (performance.now() - this.#lastHeardAt >= seconds * 1_000) this.#ping();
    }, seconds * 1_000);
  }

  #readClock() {
    for (let nth = 0; nth < PINGS_A_READING; nth += 1)
      setTimeout(() => this.#ping(), nth * PINGS_EVERY_MS);
  }

  #ping() {
    const id = ++this.#pingId;
    const sentAt = performance.now();
    if (!this.#joined || !this.#send({ ping: { id } })) return;
    this.#pingSentAt.set(id, sentAt);
    setTimeout(() => {
      if (this.#pingSentAt.delete(id) && this.#lastHeardAt < sentAt) this.#line.restart();
    }, PONG_WAIT_MS);
  }

  #pong(/** @type {import("@fanfare/proto/gateway/v1/frames").PongJson} */ pong) {
    const sentAt = this.#pingSentAt.get(pong.id ?? 0);
    this.#pingSentAt.delete(pong.id ?? 0);
    if (sentAt !== undefined) this.clock.sample(sentAt, pong.serverTime);
  }

  /**
   * @template {keyof SocketEvents} K
   * @param {K} kind
   * @param {SocketEvents[K]} body
   */
  #tell(kind, body) {
    /** @type {((body: SocketEvents[K]) => void)[]} */
    const listeners = this.#listeners[kind] ?? [];
    for (const listener of listeners) listener(body);
  }
}
