/**
 * A player under load, as cheap as one can be that keeps its promises: it joins, answers when it is
 * due, comes back with its token, and sends an answer again until it knows what became of it.
 */

import { RawSocket } from "@fanfare/common/raw-socket";
import { nowMs } from "../crowd/clock.js";
import { backoffMs } from "../player/backoff.js";
import { LoadAnswers, type RefusedFrame } from "./load-answers.js";
import type { Scene } from "./scene.js";
import type { Tally } from "./tally.js";

export interface LoadPlayerOptions {
  number: number;
  /** Unlike any other player's, over all runs. */
  name: string;
  /** Gateways as socket addresses; after a failure the next is tried. */
  urls: readonly URL[];
  scene: Scene;
  tally: Tally;
  /** Stops reading for this long at each question; 0 for those that don't. */
  slowMs: number;
  awayMs: number;
  /** Which option is taken, as the text it has. */
  choose(round: number): string;
}

const RECONNECT = { firstMs: 200, maxMs: 5_000 };
/** Close codes from here on mean: don't come back. */
const FINAL_CODES_FROM = 4_500;
const QUOTE = 34;

/** The fields of frames that are for one player alone. */
interface OwnFrames {
  hello: { serverTime: string };
  joined: JoinedFrame;
  accepted: { submissionId: string };
  refused: RefusedFrame;
  ownResult: { round: number; answered?: boolean; points?: number };
}

interface JoinedFrame {
  playerId: string;
  resumeToken: string;
  phase: string;
  round: number;
  answer?: { submissionId: string };
}

function ownFrame<K extends keyof OwnFrames>(payload: Buffer, kind: K): OwnFrames[K] {
  return (JSON.parse(payload.toString()) as Pick<OwnFrames, K>)[kind];
}

export class LoadPlayer {
  readonly #answers: LoadAnswers;
  #socket: RawSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #playerId = "";
  #resumeToken = "";
  #isIn = false;
  #isDone = false;
  #isLeaving = false;
  #attempt = 0;
  #turn: number;
  #retryAfterMs = 0;
  /** When the connection in progress was due, and what it is for. */
  #due = 0;
  #purpose: "connect" | "resume" = "connect";
  /** The round in which it came back: what it missed of that is no news of the server's. */
  #missedRound = 0;
  #round = 0;
  /** The last round whose board has come. */
  #boardOf = 0;
  /** Answers that were due before their question came. */
  #waitingDue: { round: number; due: number } | undefined;
  /** Why it is not in, as told last. */
  #why = "no answer";

  constructor(private readonly options: LoadPlayerOptions) {
    this.#turn = options.number;
    this.#answers = new LoadAnswers({
      tally: options.tally,
      send: (text) => {
        if (this.#isIn) this.#socket?.send(text);
        return this.#isIn;
      },
    });
  }

  get hasJoined(): boolean {
    return this.#playerId !== "";
  }

  /** Over, and nothing is owed. */
  get isDone(): boolean {
    return this.#isDone && this.#answers.isSettled;
  }

  get why(): string {
    return this.#why;
  }

  join(due: number): void {
    this.#due = due;
    this.options.tally.count("offered");
    this.#connect();
  }

  /** Drops the connection, and comes back after a while. False where there is none to drop. */
  leave(): boolean {
    if (!this.#isIn || this.#isDone) return false;
    const { tally, awayMs } = this.options;
    tally.count("leaves");
    this.#isLeaving = true;
    this.#socket?.end();
    this.#answers.spoil();
    this.#due = nowMs() + awayMs;
    this.#purpose = "resume";
    this.#timer = setTimeout(() => this.#connect(), awayMs);
    return true;
  }

  /** Answers; where the question has not come yet, as soon as it does. */
  answer(round: number, due: number): void {
    if (this.#isDone) return;
    this.options.tally.count("due");
    if (this.#round === round && this.#isIn) this.#sendNew(round, due);
    else this.#waitingDue = { round, due };
  }

  end(): void {
    this.#isDone = true;
    clearTimeout(this.#timer);
    this.#answers.end();
    this.#socket?.end();
  }

  #connect(): void {
    const { urls, tally, scene } = this.options;
    this.#isLeaving = false;
    const url = urls[this.#turn % urls.length] ?? new URL("http://localhost:8000");
    tally.sockets++;
    const socket = new RawSocket(url, {
      open: () => socket.send(this.#hello(scene.sessionId)),
      text: (payload) => this.#take(payload),
      close: (code) => {
        tally.sockets--;
        if (socket === this.#socket) this.#closed(code);
      },
    });
    this.#socket = socket;
  }

  #hello(sessionId: string): string {
    if (this.#resumeToken)
      return `{"hello":{"protocolVersion":1,"resumeToken":"${this.#resumeToken}"}}`;
    const { name } = this.options;
    return JSON.stringify({
      hello: { protocolVersion: 1, join: { sessionId, nickname: name, submissionId: `${name}-j` } },
    });
  }

  #closed(code: number): void {
    const wasIn = this.#isIn;
    this.#isIn = false;
    if (this.#isDone || this.#isLeaving) return;
    const { tally } = this.options;
    if (wasIn) {
      tally.count("drops");
      this.#due = nowMs();
      this.#purpose = "resume";
    } else tally.count("retries");
    this.#why = wasIn || this.#why === "no answer" ? `closed with ${code}` : this.#why;
    if (code >= FINAL_CODES_FROM && code < 5_000) {
      this.#isDone = true;
      return;
    }
    this.#turn++;
    const pauseMs = this.#retryAfterMs + backoffMs(this.#attempt++, RECONNECT, Math.random);
    this.#retryAfterMs = 0;
    this.#timer = setTimeout(() => this.#connect(), pauseMs);
  }

  #take(payload: Buffer): void {
    const now = nowMs();
    const kind = payload.toString("latin1", 2, payload.indexOf(QUOTE, 2));
    const { tally, scene } = this.options;
    tally.frame(kind, payload.length);
    switch (kind) {
      case "hello":
        scene.serverTime(ownFrame(payload, kind).serverTime, now);
        break;
      case "joined":
        this.#enter(ownFrame(payload, kind), now);
        break;
      case "question":
        this.#asked(payload, now);
        break;
      case "accepted":
        this.#answers.accepted(ownFrame(payload, kind).submissionId, now);
        break;
      case "refused":
        if (this.#isIn) this.#answers.refused(ownFrame(payload, kind));
        else this.#turnedAway(ownFrame(payload, kind));
        break;
      case "ownResult":
        this.#result(ownFrame(payload, kind));
        break;
      case "reveal":
        this.#revealed(kind, Number(scene.read(kind, payload).round), now);
        break;
      case "board":
        this.#revealed(kind, Number(scene.read(kind, payload).finalRound ?? 0), now);
        break;
      case "ended":
        this.#isDone = true;
    }
  }

  #enter(joined: JoinedFrame, now: number): void {
    const { tally } = this.options;
    const isFirst = this.#playerId === "";
    this.#isIn = true;
    this.#attempt = 0;
    this.#playerId = joined.playerId;
    this.#resumeToken = joined.resumeToken;
    tally.count(isFirst ? "admitted" : "returns");
    tally.time(this.#purpose, now - this.#due);
    if (!isFirst) this.#missedRound = joined.round;
    if (joined.answer) this.#answers.accepted(joined.answer.submissionId, now);
    this.#answers.resend();
    if (joined.phase === "PHASE_ENDED") this.#isDone = true;
  }

  #asked(payload: Buffer, now: number): void {
    const { scene, tally, slowMs } = this.options;
    const question = scene.showQuestion(payload, now);
    if (!question) return;
    const isNew = question.round !== this.#round;
    this.#round = question.round;
    if (isNew && question.round !== this.#missedRound && slowMs === 0)
      tally.question(scene.sessionId, question.round, now);
    if (isNew && slowMs > 0) this.#sleep(slowMs);
    const waiting = this.#waitingDue;
    this.#waitingDue = undefined;
    if (waiting?.round === question.round) this.#sendNew(question.round, waiting.due);
  }

  #sleep(ms: number): void {
    const socket = this.#socket;
    socket?.pause();
    setTimeout(() => socket?.resume(), ms);
  }

  #sendNew(round: number, due: number): void {
    const { name, scene, slowMs, choose } = this.options;
    const wanted = choose(round);
    const options = scene.question?.options ?? [];
    const choice = (options.find(({ text }) => text === wanted) ?? options[0])?.choice ?? "A";
    const spoiled = slowMs > 0;
    const playerId = this.#playerId;
    this.#answers.submit(`${name}-r${round}`, { round, playerId, choice, due, spoiled });
  }

  /** Not let in: again later, or never. */
  #turnedAway({ reason, retryable = false, retryAfterMs = 0 }: RefusedFrame): void {
    this.#why = reason;
    this.#retryAfterMs = retryAfterMs;
    if (reason === "ERROR_REASON_SLOW_DOWN") this.options.tally.count("slowDowns");
    if (!retryable) this.end();
  }

  #result({ round, answered, points }: OwnFrames["ownResult"]): void {
    if (!answered) return;
    const { tally, name } = this.options;
    const submissionId = `${name}-r${round}`;
    if (tally.hasAnswer(submissionId))
      tally.answer(submissionId, { round, playerId: this.#playerId }).points = points ?? 0;
  }

  #revealed(what: "reveal" | "board", round: number, now: number): void {
    const { scene, slowMs } = this.options;
    if (slowMs > 0 || round === this.#missedRound || round !== this.#round) return;
    if (what === "board" && this.#boardOf === round) return;
    if (what === "board") this.#boardOf = round;
    scene.sinceClose(what, round, now);
  }
}
