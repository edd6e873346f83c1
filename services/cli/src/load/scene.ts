/**
 * What all players of a process see of one session: room frames come to each of them as the same
 * bytes, so they are read once.
 */
import type { Tally } from "./tally.js";

export interface OpenQuestion {
  round: number;
  /** When this process saw it first (nowMs). */
  openedAt: number;
  timeLimitMs: number;
  options: readonly { choice: string; text: string }[];
}

interface QuestionFrame {
  round: number;
  question?: { options?: { choice: string; text: string }[] };
  closesAt?: string;
  timeLimitMs?: number;
}

interface Seen {
  bytes: Buffer;
  value: Record<string, unknown>;
}

export class Scene {
  #question: OpenQuestion | undefined;
  readonly #closesAt = new Map<number, number>();
  readonly #seen = new Map<string, Seen>();
  /** From the server's clock to nowMs, by the quickest frame so far. */
  #offsetMs = Number.POSITIVE_INFINITY;

  constructor(
    readonly sessionId: string,
    private readonly tally: Tally,
    private readonly onOpen: (question: OpenQuestion, scene: Scene) => void,
  ) {}

  get question(): OpenQuestion | undefined {
    return this.#question;
  }

  /** A frame's value; the bytes that came last of its kind are not read again. */
  read(kind: string, payload: Buffer): Record<string, unknown> {
    const seen = this.#seen.get(kind);
    if (seen?.bytes.equals(payload)) return seen.value;
    const frame = JSON.parse(payload.toString()) as Record<string, Record<string, unknown>>;
    const value = frame[kind] ?? {};
    this.#seen.set(kind, { bytes: Buffer.from(payload), value });
    return value;
  }

  /** A clock reading of the server that came now. */
  serverTime(text: string, now: number): void {
    const offset = now - Date.parse(text);
    if (offset < this.#offsetMs) this.#offsetMs = offset;
  }

  /** Takes note of a question frame; undefined while it has no options. */
  showQuestion(payload: Buffer, now: number): OpenQuestion | undefined {
    const frame = this.read("question", payload) as unknown as QuestionFrame;
    const options = frame.question?.options ?? [];
    if (options.length === 0) return undefined;
    if (frame.closesAt) this.#closesAt.set(frame.round, Date.parse(frame.closesAt));
    if (this.#question && this.#question.round >= frame.round) return this.#question;
    const { round, timeLimitMs = 0 } = frame;
    this.#question = { round, openedAt: now, timeLimitMs, options };
    this.onOpen(this.#question, this);
    return this.#question;
  }

  /** Notes how long after its question's end something of a round came. */
  sinceClose(what: "reveal" | "board", round: number, now: number): void {
    const closesAt = this.#closesAt.get(round);
    if (closesAt !== undefined) this.tally.time(what, now - (closesAt + this.#offsetMs));
  }
}
