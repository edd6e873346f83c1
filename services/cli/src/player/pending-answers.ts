/**
 * Answers on their way: each is sent again, under the same submission id, until the server has said
 * what became of it. That is safe at any time: the first verdict holds.
 */
import { randomUUID } from "node:crypto";
import type { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { Accepted, Refused } from "@fanfare/proto/gateway/v1/frames";
import { type BackoffBounds, backoffMs } from "./backoff.js";
import type { ClientFrameInit } from "./frames.js";

/** What became of an answer. */
export type Verdict = { attempts: number } & (
  | { kind: "accepted" /** From the first send to the acknowledgement. */; ackMs: number }
  | { kind: "refused"; reason: ErrorReason; message: string }
  /** The server said nothing in time: it may be stored or not. */
  | { kind: "unknown" }
);

export interface AnswerOptions {
  /** Drawn where nothing is said. */
  submissionId?: string;
  /** How long to go on trying; 60 s where nothing is said. */
  limitMs?: number;
}

interface Pending {
  frame: ClientFrameInit;
  sentAt: number;
  attempts: number;
  deadline: number;
  timer: NodeJS.Timeout | undefined;
  resolve(verdict: Verdict): void;
}

const LIMIT_MS = 60_000;
/** An answer that got no reply is sent again after this time. */
const REPLY_LIMIT_MS = 5_000;
const BACKOFF: BackoffBounds = { firstMs: 100, maxMs: 5_000 };

export class PendingAnswers {
  readonly #pending = new Map<string, Pending>();

  constructor(
    private readonly send: (frame: ClientFrameInit) => void,
    private readonly random: () => number,
  ) {}

  /** Sends an answer and resolves with its verdict; never rejects. */
  submit(round: number, choices: readonly string[], options: AnswerOptions): Promise<Verdict> {
    const submissionId = options.submissionId ?? randomUUID();
    return new Promise((resolve) => {
      const now = performance.now();
      const pending: Pending = {
        frame: { case: "answer", value: { round, choices: [...choices], submissionId } },
        sentAt: now,
        attempts: 0,
        deadline: now + (options.limitMs ?? LIMIT_MS),
        timer: undefined,
        resolve: (verdict) => {
          clearTimeout(pending.timer);
          this.#pending.delete(submissionId);
          resolve(verdict);
        },
      };
      this.#pending.set(submissionId, pending);
      this.#try(pending);
    });
  }

  accepted({ submissionId }: Pick<Accepted, "submissionId">): void {
    const pending = this.#pending.get(submissionId);
    if (!pending) return;
    const ackMs = performance.now() - pending.sentAt;
    pending.resolve({ kind: "accepted", ackMs, attempts: pending.attempts });
  }

  refused({ requestId, retryable, retryAfterMs, reason, message }: Refused): void {
    const pending = this.#pending.get(requestId);
    if (!pending) return;
    const { attempts } = pending;
    if (retryable)
      this.#tryIn(pending, retryAfterMs + backoffMs(attempts - 1, BACKOFF, this.random));
    else pending.resolve({ kind: "refused", reason, message, attempts });
  }

  /** Sends all again, as after a reconnect. */
  resend(): void {
    for (const pending of this.#pending.values()) this.#try(pending);
  }

  /** Gives up all: nobody will say more. */
  abandon(): void {
    for (const pending of this.#pending.values())
      pending.resolve({ kind: "unknown", attempts: pending.attempts });
  }

  #try(pending: Pending): void {
    pending.attempts++;
    this.send(pending.frame);
    this.#tryIn(pending, REPLY_LIMIT_MS);
  }

  #tryIn(pending: Pending, waitMs: number): void {
    clearTimeout(pending.timer);
    const leftMs = pending.deadline - performance.now();
    pending.timer =
      waitMs < leftMs
        ? setTimeout(() => this.#try(pending), waitMs)
        : setTimeout(
            () => pending.resolve({ kind: "unknown", attempts: pending.attempts }),
            leftMs,
          );
  }
}
