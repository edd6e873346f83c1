/**
 * The sockets at /livescore of one room: the board as a JSON array, one text for each limit that
 * somebody asked for, made once for each change of it, sent at most ten times a second. Who asks for
 * states is also told, as a JSON object, what the rows are of.
 */
import type { LeaderboardChanged } from "@fanfare/proto/events/v1/events";
import type { Standing } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import { Announcer, type Broadcaster } from "./announcer.js";
import type { Client } from "./client.js";
import type { Frame, FrameEncoder } from "./frame-codec.js";
import { liveScoreText, liveStateOf } from "./room-frames.js";

/** Rows that a snapshot holds, and that everybody gets who asks for no limit. */
export const SNAPSHOT_ROWS = 100;
export const LIVE_SCORE_ROWS_MAX = 1_000;

const EVERY_MS = 100;

export class LiveScores {
  readonly #limits = new Map<number, { sockets: number; frame: Frame | undefined }>();
  readonly #announcer: Announcer<"rows">;
  #rows: readonly Standing[] = [];
  /** Rows beyond the snapshot, as last read; empty where there are none. */
  #wideRows: readonly Standing[] = [];
  #players = 0;
  #state = liveStateOf(undefined, undefined);
  #saidState = "";
  #stateSockets = 0;
  sockets = 0;

  constructor(
    private readonly sessionId: string,
    private readonly parts: { out: Broadcaster; encoder: FrameEncoder; tickMs: number },
  ) {
    this.#announcer = new Announcer(parts.out, parts.tickMs, {
      rows: { everyMs: () => EVERY_MS, say: () => this.#say() },
    });
  }

  /** Lets a socket in and returns its first frame. */
  enter(client: Client, limit: number): Frame {
    const entry = this.#limits.get(limit) ?? { sockets: 0, frame: undefined };
    entry.sockets++;
    this.sockets++;
    this.#limits.set(limit, entry);
    client.subscribe(this.#topic(limit));
    entry.frame ??= this.#encode(limit);
    return entry.frame;
  }

  /** The same with what the rows are of, where the socket asks for that. */
  firstFrames(client: Client, limit: number): Frame[] {
    const rows = this.enter(client, limit);
    if (!client.liveScore?.states) return [rows];
    this.#stateSockets++;
    client.subscribe(this.#stateTopic);
    return [this.#stateFrame(), rows];
  }

  leave(client: Client): void {
    const { limit = 0 } = client.liveScore ?? {};
    const entry = this.#limits.get(limit);
    if (!entry) return;
    this.sockets--;
    if (client.liveScore?.states) this.#stateSockets--;
    if (--entry.sockets === 0) this.#limits.delete(limit);
  }

  close(): void {
    this.#announcer.close();
  }

  /** Shows a newer board, or that there is none, and what it is the board of. */
  show(board: LeaderboardChanged | undefined, session?: Session): void {
    this.#state = liveStateOf(board, session);
    this.#rows = board?.standings ?? [];
    this.#players = board?.players ?? 0;
    if (this.#players <= SNAPSHOT_ROWS) this.#wideRows = [];
    if (this.sockets > 0) this.#announcer.saySoon("rows");
  }

  showWide(rows: readonly Standing[]): void {
    this.#wideRows = rows;
    if (this.sockets > 0) this.#announcer.saySoon("rows");
  }

  /** How many rows have to be read beyond the snapshot, for those who are here or for `limit`; 0 is none. */
  wideRowsWanted(limit = 0): number {
    const wanted = Math.max(limit, ...this.#limits.keys());
    return wanted > SNAPSHOT_ROWS && this.#players > SNAPSHOT_ROWS ? wanted : 0;
  }

  #say(): void {
    if (this.#stateSockets > 0 && this.#state !== this.#saidState)
      this.parts.out.publish(this.#stateTopic, this.#stateFrame());
    this.#saidState = this.#state;
    for (const [limit, entry] of this.#limits) {
      const text = this.#text(limit);
      if (text === entry.frame?.text) continue;
      entry.frame = this.parts.encoder.plain("liveScore", text);
      this.parts.out.publish(this.#topic(limit), entry.frame);
    }
  }

  #encode(limit: number): Frame {
    return this.parts.encoder.plain("liveScore", this.#text(limit));
  }

  #text(limit: number): string {
    const wide = limit > SNAPSHOT_ROWS && this.#wideRows.length > 0;
    return liveScoreText(wide ? this.#wideRows : this.#rows, limit);
  }

  #stateFrame(): Frame {
    return this.parts.encoder.plain("liveScore", JSON.stringify({ state: this.#state }));
  }

  get #stateTopic(): string {
    return `${this.sessionId}/live/state`;
  }

  #topic(limit: number): string {
    return `${this.sessionId}/live/${limit}`;
  }
}
