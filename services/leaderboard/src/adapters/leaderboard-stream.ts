/**
 * Publishes snapshots, so that the last one in the stream is always the newest: each is published
 * with the expected last sequence of its subject. Whoever was overtaken sees it and steps back.
 */
import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Bus, isWrongLastSequence } from "@fanfare/common/bus";
import type { Clock } from "@fanfare/common/bus-clock";
import { withSpan } from "@fanfare/common/bus-spans";
import type { Span } from "@fanfare/common/tracing";
import { STREAMS, subjectForLeaderboard } from "@fanfare/proto/addresses";
import { LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
import type { Board } from "../domain/ports.js";
import { toStandings } from "../domain/standings.js";

/** Sessions whose last snapshot is remembered; of others it is read again. */
const REMEMBERED_MAX = 20_000;
const ATTEMPTS_MAX = 3;

/** The last snapshot of a session in the stream. */
interface Last {
  sequence: number;
  epoch: bigint;
  version: bigint;
}

/**
 * What became of a snapshot: `known` where the stream has this board or a newer version of it, `behind`
 * where it has one of a greater epoch.
 */
export type Published = "stored" | "known" | { kind: "behind"; epoch: bigint };

export class LeaderboardStream {
  readonly #last = new Map<string, Last>();

  constructor(
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {}

  /**
   * Resolves once it is stored, or where it is not the newest. `changedSince` is when the log stored
   * the oldest change that it is the first to show, in ms since 1970. Whoever hears it finds the span.
   */
  async publish(
    sessionId: string,
    board: Board,
    { changedSince, span }: { changedSince: number; span?: Span | undefined },
  ): Promise<Published> {
    const subject = subjectForLeaderboard(sessionId);
    const text = this.#encode(sessionId, board, changedSince);
    for (let attempt = 1; ; attempt++) {
      const last = this.#last.get(sessionId) ?? (await this.#read(subject));
      if (!isNewer(board, last)) {
        this.#remember(sessionId, last);
        return board.epoch < last.epoch ? { kind: "behind", epoch: last.epoch } : "known";
      }
      try {
        const { seq } = await this.bus.js.publish(subject, text, {
          expect: { lastSubjectSequence: last.sequence },
          ...withSpan(span),
        });
        this.#remember(sessionId, { sequence: seq, epoch: board.epoch, version: board.version });
        return "stored";
      } catch (error) {
        this.#last.delete(sessionId);
        if (!isWrongLastSequence(error) || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** Takes the last snapshot of a session out of the stream. Rejects while NATS is away; safe to repeat. */
  async forget(sessionId: string): Promise<void> {
    this.#last.delete(sessionId);
    const filter = subjectForLeaderboard(sessionId);
    await this.bus.jsm.streams.purge(STREAMS.leaderboard, { filter });
  }

  #encode(sessionId: string, board: Board, changedSince: number): string {
    const { epoch, version, players, finalRound, round, answers, joined, ended } = board;
    const message = create(LeaderboardChangedSchema, {
      sessionId,
      epoch,
      version,
      standings: toStandings(board),
      players,
      finalRound,
      round,
      answers,
      joined,
      ended,
      takenAt: timestampFromMs(Math.round(this.clock.now())),
      changedSince: timestampFromMs(Math.round(changedSince)),
    });
    return toJsonString(LeaderboardChangedSchema, message);
  }

  async #read(subject: string): Promise<Last> {
    const stored = await this.bus.jsm.streams.getMessage(STREAMS.leaderboard, {
      last_by_subj: subject,
    });
    if (!stored) return { sequence: 0, epoch: 0n, version: 0n };
    try {
      const message = fromJsonString(LeaderboardChangedSchema, stored.string(), {
        ignoreUnknownFields: true,
      });
      return { sequence: stored.seq, epoch: message.epoch, version: message.version };
    } catch {
      // Not a snapshot: somebody else's message on this subject. Ours takes its place.
      return { sequence: stored.seq, epoch: 0n, version: 0n };
    }
  }

  #remember(sessionId: string, last: Last): void {
    this.#last.delete(sessionId);
    this.#last.set(sessionId, last);
    if (this.#last.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#last.keys();
    if (oldest !== undefined) this.#last.delete(oldest);
  }
}

function isNewer(board: Board, last: Last): boolean {
  return board.epoch > last.epoch || (board.epoch === last.epoch && board.version > last.version);
}
