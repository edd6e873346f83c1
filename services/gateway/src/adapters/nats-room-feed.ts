/**
 * A session's news from NATS: changes of its record, boards, removals, takeovers. Subscribed first
 * and read then, so that nothing falls between; whoever listens drops what is older than what it has.
 */
import { type DescMessage, fromJsonString, type MessageShape } from "@bufbuild/protobuf";
import { publishedBy, startBusSpan } from "@fanfare/common/bus-spans";
import { unavailable } from "@fanfare/common/errors";
import type { Logger } from "@fanfare/common/log";
import { endSpan, type Span } from "@fanfare/common/tracing";
import {
  BUCKETS,
  LEADERBOARD_TEMPLATE,
  STREAMS,
  subjectForLeaderboard,
  subjectForRemovals,
  subjectForSession,
  subjectForTakeovers,
} from "@fanfare/proto/addresses";
import { type LeaderboardChanged, PlayerRemovedSchema } from "@fanfare/proto/events/v1/events";
import { Phase, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import { JetStreamApiError, type JetStreamManager, type StoredMsg } from "@nats-io/jetstream";
import type { Msg, MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import type { RoomFeed, RoomListener, RoomSource } from "../domain/ports.js";
import { readBoard } from "../domain/read-board.js";

const SESSION_STREAM = `KV_${BUCKETS.sessions}`;
const NO_MESSAGE_FOUND = 10_037;
/** Connections that one message tells of. */
const ANNOUNCED_MAX = 500;

export class NatsRoomFeed implements RoomFeed {
  /** Connections to be announced at the end of this turn, by session: those of a crowd come together. */
  readonly #unannounced = new Map<string, string[]>();

  constructor(
    private readonly nc: NatsConnection,
    private readonly jsm: JetStreamManager,
    private readonly log: Logger,
    /** Asked for a board that the stream does not hold: it keeps none for ever. */
    private readonly olderBoard: (sessionId: string) => Promise<LeaderboardChanged | undefined>,
  ) {}

  open(sessionId: string, listener: RoomListener): RoomSource {
    const on = (subject: string, take: (message: Msg) => void) =>
      this.nc.subscribe(subject, {
        callback: (error, message) => {
          if (!error) this.#guard(subject, () => take(message));
        },
      });
    const subscriptions = [
      on(subjectForSession(sessionId), (message) =>
        tellSession(listener, message, message.headers),
      ),
      on(subjectForLeaderboard(sessionId), (message) => {
        const board = readBoard(message.string());
        const span = boardSpan(message);
        listener.onBoard(board, span);
        endSpan(span);
      }),
      on(subjectForRemovals(sessionId), (message) =>
        listener.onRemoved(read(PlayerRemovedSchema, message.string())),
      ),
      on(subjectForTakeovers(sessionId), (message) => {
        for (const line of message.string().split("\n")) {
          const [playerId = "", connection = ""] = line.split(" ");
          listener.onTakeover(playerId, connection);
        }
      }),
    ];
    return {
      read: () => this.#read(sessionId, listener),
      close() {
        for (const each of subscriptions) each.unsubscribe();
      },
    };
  }

  announce(sessionId: string, playerId: string, connection: string): void {
    if (this.#unannounced.size === 0) setImmediate(() => this.#announceAll());
    const lines = this.#unannounced.get(sessionId);
    if (lines) lines.push(`${playerId} ${connection}`);
    else this.#unannounced.set(sessionId, [`${playerId} ${connection}`]);
  }

  /** After a reconnect all players of a room come in one turn: a message is of some 50 KB at most. */
  #announceAll(): void {
    if (!this.nc.isClosed())
      for (const [sessionId, lines] of this.#unannounced)
        for (let at = 0; at < lines.length; at += ANNOUNCED_MAX) {
          const part = lines.slice(at, at + ANNOUNCED_MAX).join("\n");
          this.nc.publish(subjectForTakeovers(sessionId), part);
        }
    this.#unannounced.clear();
  }

  async #read(sessionId: string, listener: RoomListener): Promise<void> {
    const recordSubject = `$KV.${BUCKETS.sessions}.${sessionId}`;
    const boardSubject = subjectForLeaderboard(sessionId);
    try {
      const [record, board] = await Promise.all([
        this.#lastRecord(recordSubject),
        this.jsm.direct.getMessage(STREAMS.leaderboard, { last_by_subj: boardSubject }),
      ]);
      if (record)
        this.#guard(recordSubject, () => tellSession(listener, record, record.header, record.seq));
      if (board)
        this.#guard(boardSubject, () => {
          const stored = readBoard(board.string());
          // Others were shown it long ago: its age says nothing of how fresh boards are.
          delete stored.changedSince;
          listener.onBoard(stored);
        });
      // The board of a session that goes on is on its way.
      else if (!record || !isLive(record)) {
        const older = await this.olderBoard(sessionId);
        if (older) this.#guard(boardSubject, () => listener.onBoard(older));
      }
    } catch (error) {
      throw unavailable("the session's record", error);
    }
  }

  /** Any replica may answer a direct get, and one may lag: only the leader knows that there is none. */
  async #lastRecord(subject: string): Promise<StoredMsg | null> {
    const direct = await this.jsm.direct.getMessage(SESSION_STREAM, { last_by_subj: subject });
    if (direct) return direct;
    try {
      return await this.jsm.streams.getMessage(SESSION_STREAM, { last_by_subj: subject });
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === NO_MESSAGE_FOUND) return null;
      throw error;
    }
  }

  /** What cannot be read is noted and passed over: a room lives on with what it knows. */
  #guard(subject: string, take: () => void): void {
    try {
      take();
    } catch (err) {
      this.log.warn({ err, subject: subject.split(".")[0] }, "news not understood");
    }
  }
}

/** A stored or republished record; without content, or marked as deleted, there is none any more. */
function tellSession(
  listener: RoomListener,
  message: { string(): string },
  headers: MsgHdrs | undefined,
  sequence = Number(headers?.get("Nats-Sequence")),
): void {
  const text = message.string();
  const deleted = text === "" || Boolean(headers?.get("KV-Operation"));
  listener.onSession(deleted ? undefined : read(SessionSchema, text), sequence);
}

function isLive(record: StoredMsg): boolean {
  const text = record.string();
  return text !== "" && read(SessionSchema, text).phase !== Phase.ENDED;
}

/** The snapshot's way into a room, where a change in it was traced. */
function boardSpan(message: Msg): Span | undefined {
  const published = publishedBy(message);
  if (!published) return undefined;
  const startedAt = performance.now();
  const origins = [published];
  return startBusSpan({ verb: "process", template: LEADERBOARD_TEMPLATE, startedAt, origins });
}

function read<D extends DescMessage>(schema: D, text: string): MessageShape<D> {
  return fromJsonString(schema, text, { ignoreUnknownFields: true });
}
