/** A room's board: the newest snapshot that was heard, its frame, and whether it can be trusted. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Span } from "@fanfare/common/tracing";
import type { LeaderboardChanged } from "@fanfare/proto/events/v1/events";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import type { Frame, FrameEncoder } from "./frame-codec.js";
import {
  boardFrame,
  boardSize,
  isNewer,
  lobbyValue,
  progressValue,
  sameRows,
} from "./room-frames.js";

/** What a new snapshot changes for those who are here. */
export interface BoardNews {
  /** The rows that everybody sees, or how many players there are. */
  rows: boolean;
  joined: boolean;
  answers: boolean;
  /** It was stale until now. */
  healed: boolean;
}

export class RoomBoard {
  #heard: LeaderboardChanged | undefined;
  #frame: Frame | undefined;
  #lobby: Frame | undefined;
  #stale = false;
  /** When the log stored the oldest change of the rows that nobody here was shown yet. */
  #unshownSinceMs: number | undefined;
  #unshownSpan: Span | undefined;

  constructor(private readonly encoder: FrameEncoder) {}

  get isStale(): boolean {
    return this.#stale;
  }

  /** The board of this session; what is left of an earlier one with the same id does not count. */
  of(session: Session | undefined): LeaderboardChanged | undefined {
    const left = this.#heard?.ended && session && session.phase !== Phase.ENDED;
    return left ? undefined : this.#heard;
  }

  /** Takes a snapshot; undefined where it is not newer than what is known. */
  take(
    board: LeaderboardChanged,
    session: Session | undefined,
    closedRound: number,
  ): BoardNews | undefined {
    if (!isNewer(board, this.#heard)) return undefined;
    const known = this.of(session);
    this.#heard = board;
    const healed = this.#stale && board.finalRound >= closedRound;
    if (healed) this.#stale = false;
    const rows =
      known?.players !== board.players ||
      known.finalRound !== board.finalRound ||
      !sameRows(known.standings, board.standings, boardSize(session));
    const sinceMs = board.changedSince && timestampMs(board.changedSince);
    if (rows && sinceMs !== undefined)
      this.#unshownSinceMs = Math.min(sinceMs, this.#unshownSinceMs ?? sinceMs);
    return {
      rows,
      joined: known?.joined !== board.joined,
      answers: known?.answers !== board.answers || known.round !== board.round,
      healed,
    };
  }

  /** The rows are the last known of a leaderboard that can't be reached. False where that was said. */
  markStale(): boolean {
    if (this.#stale) return false;
    this.#stale = true;
    return true;
  }

  /** What all are told next is made anew: rows or staleness have changed. */
  rowsChanged(): void {
    this.#frame = undefined;
  }

  /** Of the rows that are shown next a change is traced. */
  traced(span: Span | undefined): void {
    this.#unshownSpan ??= span;
  }

  /** The rows were shown: when the log stored their oldest change, where that is known. */
  shown(): { sinceMs: number | undefined; span: Span | undefined } {
    const shown = { sinceMs: this.#unshownSinceMs, span: this.#unshownSpan };
    this.#unshownSinceMs = undefined;
    this.#unshownSpan = undefined;
    return shown;
  }

  countsChanged(): void {
    this.#lobby = undefined;
  }

  /** The board as all were told it last. */
  frame(session: Session | undefined): Frame | undefined {
    if (!this.of(session) && !this.#stale) return undefined;
    this.#frame ??= this.encoder.encode(boardFrame(this.of(session), session, this.#stale));
    return this.#frame;
  }

  /** The lobby as all were told it last. */
  lobbyFrame(session: Session): Frame {
    this.#lobby ??= this.encoder.encode({
      case: "lobby",
      value: lobbyValue(session, this.of(session)),
    });
    return this.#lobby;
  }

  /** How many have answered; undefined while nobody can. */
  progressFrame(session: Session | undefined): Frame | undefined {
    const value = session && progressValue(session, this.of(session));
    return value && this.encoder.encode({ case: "progress", value });
  }

  /** Another session begins; positions still count, so that the old board does not come back. */
  forget(): void {
    this.#frame = undefined;
    this.#lobby = undefined;
    this.#stale = false;
    this.#unshownSinceMs = undefined;
  }
}
