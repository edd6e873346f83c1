/**
 * The sockets at /livescore of one room: the board as a JSON array, encoded once for each change of it
 * and cut for each limit that somebody asked for (rows-text.ts), sent at most ten times a second. Who asks
 * for states is also told, as a JSON object, what the rows are of.
 */
import type { LeaderboardChanged } from "@fanfare/proto/events/v1/events";
import type { Standing } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import { Announcer, type Broadcaster } from "./announcer.js";
import type { Client } from "./client.js";
import type { Frame, FrameEncoder } from "./frame-codec.js";
import { liveStateOf } from "./room-frames.js";
import { RowsText } from "./rows-text.js";

/** Rows that a snapshot holds, and that everybody gets who asks for no limit. */
export const SNAPSHOT_ROWS = 100;
export const LIVE_SCORE_ROWS_MAX = 1_000;

const EVERY_MS = 100;
const LIVE_SCORE = "liveScore";

export class LiveScores {
  /** By limit, with the rows that its sockets were told last. */
  readonly #limits = new Map<number, { sockets: number; told: RowsText }>();
  readonly #announcer: Announcer<"rows">;
  #rows: readonly Standing[] = [];
  /** Rows beyond the snapshot, as last read; empty where there are none. */
  #wideRows: readonly Standing[] = [];
  /** Both as they are sent; unset where they have moved since. */
  #text: RowsText | undefined;
  #wideText: RowsText | undefined;
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

  /** Lets a socket in and returns its first frame: what the others of its limit see. */
  enter(client: Client, limit: number): Frame {
    const entry = this.#limits.get(limit) ?? { sockets: 0, told: this.#textFor(limit) };
    entry.sockets++;
    this.sockets++;
    this.#limits.set(limit, entry);
    client.subscribe(this.#topic(limit));
    return { type: LIVE_SCORE, text: entry.told.first(limit) };
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
    this.#text = undefined;
    this.#players = board?.players ?? 0;
    if (this.#players <= SNAPSHOT_ROWS) this.#setWide([]);
    if (this.sockets > 0) this.#announcer.saySoon("rows");
  }

  showWide(rows: readonly Standing[]): void {
    this.#setWide(rows);
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
    // There are two texts at most, and few that were told before: they are compared once.
    const same = new Map<string, number>();
    for (const [limit, entry] of this.#limits) {
      const [now, before] = [this.#textFor(limit), entry.told];
      entry.told = now;
      const pair = `${before.id} ${now.id}`;
      const rowsSame = same.get(pair) ?? now.sameAs(before);
      same.set(pair, rowsSame);
      if (rowsSame >= limit) continue;
      now.withFirst(limit, (bytes) => this.parts.out.publish(this.#topic(limit), cutFrame(bytes)));
    }
  }

  #setWide(rows: readonly Standing[]): void {
    this.#wideRows = rows;
    this.#wideText = undefined;
  }

  #textFor(limit: number): RowsText {
    if (limit > SNAPSHOT_ROWS && this.#wideRows.length > 0) {
      this.#wideText ??= this.#encode(this.#wideRows);
      return this.#wideText;
    }
    this.#text ??= this.#encode(this.#rows);
    return this.#text;
  }

  #encode(rows: readonly Standing[]): RowsText {
    this.parts.encoder.encoded(LIVE_SCORE);
    return new RowsText(rows);
  }

  #stateFrame(): Frame {
    return this.parts.encoder.plain(LIVE_SCORE, JSON.stringify({ state: this.#state }));
  }

  get #stateTopic(): string {
    return `${this.sessionId}/live/state`;
  }

  #topic(limit: number): string {
    return `${this.sessionId}/live/${limit}`;
  }
}

/** The text is read by tests alone: sockets take the bytes. */
function cutFrame(bytes: Uint8Array): Frame {
  return {
    type: LIVE_SCORE,
    bytes,
    get text() {
      return Buffer.from(bytes).toString();
    },
  };
}
