/** The players' own book of a game: what they were told of each answer, and what it brought. */
import type { OwnResult } from "@fanfare/proto/gateway/v1/frames";
import type { Verdict } from "../player/pending-answers.js";
import { percentile } from "./percentile.js";

export interface BookEntry {
  verdict: Verdict["kind"];
  /** As told after the reveal; undefined where the player was not there to hear it. */
  points: number | undefined;
}

export class Book {
  readonly #entries = new Map<string, BookEntry>();
  /** Times to acknowledgement of one round. */
  readonly #acks = new Map<number, number[]>();

  /** Before the answer goes out: from then on it may be stored. */
  sent(round: number, nickname: string): void {
    this.#entry(round, nickname);
  }

  answered(round: number, nickname: string, verdict: Verdict): void {
    this.#entry(round, nickname).verdict = verdict.kind;
    if (verdict.kind !== "accepted") return;
    const acks = this.#acks.get(round) ?? [];
    this.#acks.set(round, acks);
    acks.push(verdict.ackMs);
  }

  result(nickname: string, { round, answered, points }: OwnResult): void {
    if (answered) this.#entry(round, nickname).points = points;
  }

  entry(round: number, nickname: string): BookEntry | undefined {
    return this.#entries.get(keyOf(round, nickname));
  }

  /** Every answer that anybody sent, with its round and player. */
  *entries(): Generator<BookEntry & { round: number; nickname: string }> {
    for (const [key, entry] of this.#entries) {
      const at = key.indexOf(" ");
      yield { ...entry, round: Number(key.slice(0, at)), nickname: key.slice(at + 1) };
    }
  }

  get acknowledged(): number {
    return [...this.#entries.values()].filter(({ verdict }) => verdict === "accepted").length;
  }

  /** A percentile of a round's times to acknowledgement in ms, 0 where there are none. */
  ackMs(round: number, share: number): number {
    return percentile(this.#acks.get(round) ?? [], share);
  }

  sentIn(round: number): number {
    return [...this.entries()].filter((entry) => entry.round === round).length;
  }

  acceptedIn(round: number): number {
    return this.#acks.get(round)?.length ?? 0;
  }

  #entry(round: number, nickname: string): BookEntry {
    const key = keyOf(round, nickname);
    const entry = this.#entries.get(key) ?? { verdict: "unknown", points: undefined };
    this.#entries.set(key, entry);
    return entry;
  }
}

function keyOf(round: number, nickname: string): string {
  return `${round} ${nickname}`;
}
