/**
 * A load player's answers on their way: each is sent again, under the same submission id, until the
 * server has said what became of it, and its time counts from when it was due.
 */
import { backoffMs } from "../player/backoff.js";
import type { Tally } from "./tally.js";

export interface LoadAnswersOptions {
  tally: Tally;
  /** Sends where the player is in; false where it is not. */
  send(text: string): boolean;
}

interface Pending {
  round: number;
  playerId: string;
  text: string;
  due: number;
  /** The player was away or asleep of its own will: no time of the server's. */
  spoiled: boolean;
  timer: NodeJS.Timeout | undefined;
  attempts: number;
}

export interface RefusedFrame {
  reason: string;
  retryable?: boolean;
  retryAfterMs?: number;
  requestId?: string;
}

const BACKOFF = { firstMs: 100, maxMs: 5_000 };
/** An answer that got no reply is sent again after this time. */
const REPLY_LIMIT_MS = 5_000;

export class LoadAnswers {
  readonly #pending = new Map<string, Pending>();

  constructor(private readonly options: LoadAnswersOptions) {}

  /** Every answer has its verdict. */
  get isSettled(): boolean {
    return this.#pending.size === 0;
  }

  /** Sends a round's answer, once. */
  submit(
    submissionId: string,
    of: { round: number; playerId: string; choice: string; due: number; spoiled: boolean },
  ): void {
    const { tally } = this.options;
    const { round, playerId, choice, due, spoiled } = of;
    if (tally.hasAnswer(submissionId)) return;
    tally.answer(submissionId, { round, playerId });
    tally.count("sent");
    const text = `{"answer":{"round":${round},"choices":["${choice}"],"submissionId":"${submissionId}"}}`;
    const pending = { round, playerId, text, due, spoiled, timer: undefined, attempts: 0 };
    this.#pending.set(submissionId, pending);
    this.#send(submissionId, pending);
  }

  /** Sends all that have no verdict again, as after a reconnect. */
  resend(): void {
    for (const [submissionId, pending] of this.#pending) this.#send(submissionId, pending);
  }

  accepted(submissionId: string, now: number): void {
    const pending = this.#pending.get(submissionId);
    if (!pending) return;
    const { tally } = this.options;
    this.#settle(submissionId, pending, "accepted");
    tally.count("acked");
    if (!pending.spoiled) tally.time("ack", now - pending.due);
  }

  refused({ requestId = "", retryable = false, retryAfterMs = 0 }: RefusedFrame): void {
    const pending = this.#pending.get(requestId);
    if (!pending) return;
    clearTimeout(pending.timer);
    if (retryable) {
      const pauseMs = retryAfterMs + backoffMs(pending.attempts - 1, BACKOFF, Math.random);
      pending.timer = setTimeout(() => this.#send(requestId, pending), pauseMs);
    } else {
      this.#settle(requestId, pending, "refused");
      this.options.tally.count("refused");
    }
  }

  /** The player goes of its own will: what is on its way takes no time of the server's. */
  spoil(): void {
    for (const pending of this.#pending.values()) pending.spoiled = true;
  }

  /** Sends nothing any more. */
  end(): void {
    for (const { timer } of this.#pending.values()) clearTimeout(timer);
  }

  #send(submissionId: string, pending: Pending): void {
    clearTimeout(pending.timer);
    // Out of the room nothing is sent; whoever comes back sends it again.
    if (!this.options.send(pending.text)) return;
    if (pending.attempts++ > 0) this.options.tally.count("resent");
    pending.timer = setTimeout(() => this.#send(submissionId, pending), REPLY_LIMIT_MS);
  }

  #settle(submissionId: string, pending: Pending, verdict: "accepted" | "refused"): void {
    clearTimeout(pending.timer);
    this.#pending.delete(submissionId);
    this.options.tally.answer(submissionId, pending).verdict = verdict;
  }
}
