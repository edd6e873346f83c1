/**
 * What the phases of a session call for once: results after a round has closed, a podium after the
 * end, and a word when the board falls behind. Pure; times are of one monotonic clock, in ms.
 */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";

/** A board without a round that closed this long ago is called stale. */
const STALE_AFTER_MS = 3_000;
/** How long the podium waits for the last board. */
const PODIUM_WAIT_MS = 2_000;

export class Milestones {
  #closed = { round: 0, at: 0 };
  #toldRound = 0;
  #endedAt: number | undefined;
  #podium: "none" | "early" | "final" = "none";

  /** The last round that is known to have closed. */
  get closedRound(): number {
    return this.#closed.round;
  }

  /**
   * Takes the next record, at `commonNow` on the clock of all pods; returns the round whose results
   * nobody was told yet, or 0.
   */
  note(session: Session | undefined, now: number, commonNow: number): number {
    if (session?.phase === Phase.ENDED) {
      const endedMs = session.endedAt ? timestampMs(session.endedAt) : commonNow;
      this.#endedAt ??= now - Math.max(0, commonNow - endedMs);
    } else {
      this.#endedAt = undefined;
      this.#podium = "none";
    }
    if (session?.phase === Phase.REVEAL && session.round > this.#closed.round)
      this.#closed = { round: session.round, at: now };
    const closed = session?.phase === Phase.REVEAL || session?.phase === Phase.ENDED;
    return closed && session.round > this.#toldRound ? session.round : 0;
  }

  resultsTold(round: number): void {
    this.#toldRound = round;
  }

  /** Whether a board that holds `finalRound` is late. */
  isLate(finalRound: number, now: number): boolean {
    return this.#closed.round > finalRound && now - this.#closed.at > STALE_AFTER_MS;
  }

  /**
   * Whether to show the podium now: with the last board, or after a while without it; and with each new
   * board behind it, as a ban may have taken somebody off.
   */
  isPodiumDue(boardIsLast: boolean, now: number, boardIsNew = false): boolean {
    if (this.#endedAt === undefined) return false;
    if (this.#podium === "final") return boardIsNew;
    if (boardIsLast) return true;
    return this.#podium === "none" && now - this.#endedAt > PODIUM_WAIT_MS;
  }

  podiumShown(boardIsLast: boolean): void {
    this.#podium = boardIsLast ? "final" : "early";
  }

  forget(): void {
    this.#closed = { round: 0, at: 0 };
    this.#toldRound = 0;
  }
}
