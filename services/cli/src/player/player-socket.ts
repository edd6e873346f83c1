/**
 * A player as a good client is one: joins, comes back through any gateway with its resume token,
 * and sends an answer until it knows what became of it. For `simulate`, the demo, tests and bench.
 */
import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { pause } from "@fanfare/common/lifecycle";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type {
  ClientHelloSchema,
  Joined,
  Refused,
  ServerFrame,
} from "@fanfare/proto/gateway/v1/frames";
import { type BackoffBounds, backoffMs } from "./backoff.js";
import { FrameFeed } from "./frame-feed.js";
import { FrameSocket, type SocketEnd } from "./frame-socket.js";
import type { FrameKind, Frames } from "./frames.js";
import { type AnswerOptions, PendingAnswers, type Verdict } from "./pending-answers.js";

export interface PlayerOptions {
  /** Gateways, as http or ws URLs. The first is tried first, after a failure the next. */
  urls: readonly string[];
  /** The session, by id or by PIN. */
  sessionId?: string;
  pin?: string;
  nickname: string;
  /** Makes a repeated join the same join; drawn where nothing is said. */
  submissionId?: string;
  /** Comes back as a player who was there before, instead of joining. */
  resumeToken?: string;
  /** Sees every frame of every connection first, with its text as it came: for recorders. */
  onFrame?: (frame: ServerFrame, raw: string) => void;
  /** Called each time that the player is in again, with how long it was out. */
  onReturn?: (awayMs: number) => void;
  /** How long joining may be tried; 30 s where nothing is said. */
  joinWithinMs?: number;
  /** Randomness of the back-off. */
  random?: () => number;
}

/** The server refused to let the player in, for good. */
export class JoinRefusedError extends Error {
  override name = "JoinRefusedError";
  constructor(
    readonly reason: ErrorReason,
    message: string,
  ) {
    super(`${ErrorReason[reason]}: ${message}`);
  }
}

const PROTOCOL_VERSION = 1;
const JOIN_LIMIT_MS = 30_000;
const RECONNECT: BackoffBounds = { firstMs: 200, maxMs: 5_000 };
/** Close codes from here to 4999 mean: don't come back. */
const FINAL_CODES_FROM = 4500;

/** Why a player is no longer there. */
export type Departure =
  | { kind: "closed" }
  | { kind: "refused"; error: JoinRefusedError }
  | { kind: "ended"; end: SocketEnd };

export class PlayerSocket {
  readonly #feed = new FrameFeed();
  readonly #answers: PendingAnswers;
  readonly #random: () => number;
  readonly #submissionId: string;
  readonly #abort = new AbortController();
  readonly #gone: Promise<Departure>;
  #socket: FrameSocket | undefined;
  #joined: Joined | undefined;
  #isIn = false;
  /** What the server said of the last hello, where it was no. */
  #refusal: Refused | undefined;
  #refused: JoinRefusedError | undefined;
  #turn = 0;
  #attempt = 0;
  #reconnects = -1;
  #lostAt = 0;

  private constructor(private readonly options: PlayerOptions) {
    this.#random = options.random ?? Math.random;
    this.#submissionId = options.submissionId ?? randomUUID();
    this.#answers = new PendingAnswers((frame) => {
      // Out of the room it would only be refused; `joined` sends it again.
      if (this.#isIn) this.#socket?.send(frame);
    }, this.#random);
    this.#gone = this.#live().finally(() => {
      this.#answers.abandon();
      this.#feed.end("the player is gone");
    });
  }

  /** Resolves once the player is in. Rejects with JoinRefusedError, or where nobody answers in time. */
  static async join(options: PlayerOptions): Promise<PlayerSocket> {
    const player = new PlayerSocket(options);
    try {
      await player.until("joined", undefined, options.joinWithinMs ?? JOIN_LIMIT_MS);
      return player;
    } catch (error) {
      player.close();
      throw player.#refused ?? error;
    }
  }

  /** The server's last word on who the player is and where the session stands. */
  get joined(): Joined {
    if (!this.#joined) throw new Error("the player never got in");
    return this.#joined;
  }

  get playerId(): string {
    return this.joined.playerId;
  }

  get nickname(): string {
    return this.joined.nickname;
  }

  /** Brings this player back, through any gateway, also in another PlayerSocket. */
  get resumeToken(): string {
    return this.joined.resumeToken;
  }

  /** How often the player had to come back. */
  get reconnects(): number {
    return Math.max(0, this.#reconnects);
  }

  /** Resolves when the player is gone for good; the reason says whose wish that was. */
  get gone(): Promise<Departure> {
    return this.#gone;
  }

  /** Answers a round; resolves with what became of the answer and never rejects. */
  answer(round: number, choices: readonly string[], options: AnswerOptions = {}): Promise<Verdict> {
    return this.#answers.submit(round, choices, options);
  }

  /** See FrameFeed; goes on across reconnects. */
  last<K extends FrameKind>(kind: K): Frames[K] | undefined {
    return this.#feed.last(kind);
  }

  /** See FrameFeed; goes on across reconnects. */
  on<K extends FrameKind>(kind: K, listener: (frame: Frames[K]) => void): () => void {
    return this.#feed.on(kind, listener);
  }

  /** See FrameFeed; goes on across reconnects. */
  until<K extends FrameKind>(
    kind: K,
    fits?: (frame: Frames[K]) => boolean,
    limitMs?: number,
  ): Promise<Frames[K]> {
    return this.#feed.until(kind, fits, limitMs);
  }

  /** Cuts the connection without a word, as a lost network does; the player comes back. */
  drop(): void {
    this.#socket?.terminate();
  }

  /** Leaves; the seat stays on record and the resume token good. */
  close(): void {
    this.#abort.abort();
    this.#socket?.close();
  }

  /** Connects again and again until there is no point in it, or nobody wants it. */
  async #live(): Promise<Departure> {
    for (;;) {
      const end = await this.#connectOnce();
      if (this.#isIn) this.#lostAt = performance.now();
      this.#isIn = false;
      if (this.#abort.signal.aborted) return { kind: "closed" };
      if (this.#refusal && !this.#refusal.retryable) {
        const { reason, message } = this.#refusal;
        this.#refused = new JoinRefusedError(reason, message);
        return { kind: "refused", error: this.#refused };
      }
      if (end.code >= FINAL_CODES_FROM && end.code <= 4999) return { kind: "ended", end };
      await pause(this.#pauseMs(end), this.#abort.signal);
      if (this.#abort.signal.aborted) return { kind: "closed" };
      this.#turn++;
    }
  }

  /** One connection from its beginning to its end. */
  async #connectOnce(): Promise<SocketEnd & { comeBackAt?: number }> {
    this.#refusal = undefined;
    let comeBackAt: number | undefined;
    try {
      const url = this.options.urls[this.#turn % this.options.urls.length] ?? "";
      const socket = await FrameSocket.open(url, {
        onFrame: (frame, raw) => {
          this.options.onFrame?.(frame, raw);
          if (frame.frame.case === "reconnect")
            comeBackAt = performance.now() + frame.frame.value.delayMs;
          this.#take(frame);
        },
      });
      this.#socket = socket;
      if (this.#abort.signal.aborted) socket.close();
      socket.send({ case: "hello", value: this.#hello() });
      const end = await socket.closed;
      return comeBackAt === undefined ? end : { ...end, comeBackAt };
    } catch (error) {
      return { code: 1006, reason: String(error) };
    }
  }

  #hello(): MessageInitShape<typeof ClientHelloSchema> {
    const resumeToken = this.#joined?.resumeToken ?? this.options.resumeToken;
    const { pin = "", sessionId = "", nickname } = this.options;
    const wish = { pin, sessionId, nickname, submissionId: this.#submissionId };
    return {
      protocolVersion: PROTOCOL_VERSION,
      identity: resumeToken
        ? { case: "resumeToken", value: resumeToken }
        : { case: "join", value: wish },
    };
  }

  #take(frame: ServerFrame): void {
    const { case: kind, value } = frame.frame;
    if (kind === "joined") this.#enter(value);
    if (kind === "accepted") this.#answers.accepted(value);
    if (kind === "refused") {
      if (this.#isIn) this.#answers.refused(value);
      else this.#refusal = value;
    }
    this.#feed.push(frame);
  }

  #enter(joined: Joined): void {
    this.#joined = joined;
    this.#isIn = true;
    this.#attempt = 0;
    this.#reconnects++;
    if (this.#reconnects > 0) this.options.onReturn?.(performance.now() - this.#lostAt);
    if (joined.answer) this.#answers.accepted(joined.answer);
    this.#answers.resend();
  }

  #pauseMs({ comeBackAt }: { comeBackAt?: number }): number {
    if (comeBackAt !== undefined) return Math.max(0, comeBackAt - performance.now());
    const wanted = this.#refusal?.retryAfterMs ?? 0;
    return wanted + backoffMs(this.#attempt++, RECONNECT, this.#random);
  }
}
