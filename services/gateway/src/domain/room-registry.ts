/** The rooms of this gateway: one for each session that somebody here is in, and no longer. */
import type { RoomFeed, RoomParts } from "./ports.js";
import { Room } from "./room.js";

const SWEEP_EVERY_MS = 500;
/** Rooms that are read at the same time after a reconnect. */
const READS_MAX = 64;
/** Of all rooms, the part that may be ids without a session or a score. */
const UNKNOWN_PART = 0.2;

export interface RoomRegistryOptions {
  roomsMax: number;
  lingerMs: number;
  /** A room could not be read; it is tried again. */
  onReadFailed(error: unknown): void;
}

export class RoomRegistry {
  readonly #rooms = new Map<string, Room>();
  readonly #sweep: NodeJS.Timeout;

  constructor(
    private readonly feed: RoomFeed,
    private readonly parts: RoomParts,
    private readonly options: RoomRegistryOptions,
  ) {
    this.#sweep = setInterval(() => this.sweep(performance.now()), SWEEP_EVERY_MS);
  }

  all(): Iterable<Room> {
    return this.#rooms.values();
  }

  /** Rooms, the players in them, and how many show a board that is marked stale. */
  count(): { count: number; players: number; stale: number } {
    const counts = { count: this.#rooms.size, players: 0, stale: 0 };
    for (const room of this.#rooms.values()) {
      counts.players += room.players.size;
      if (room.isStale) counts.stale++;
    }
    return counts;
  }

  /**
   * The room of a session, made if need be; undefined where ROOMS_MAX is reached. The caller is its
   * guest until `release`. Throws TokenError for an id that is no token.
   */
  hold(sessionId: string): Room | undefined {
    let room = this.#rooms.get(sessionId);
    if (!room) {
      if (this.#rooms.size >= this.options.roomsMax && !this.#closeIdle()) return undefined;
      room = new Room(sessionId, this.parts);
      room.follow(this.feed.open(sessionId, room));
      this.#rooms.set(sessionId, room);
    }
    room.guests++;
    return room;
  }

  /** Whether the id is followed here already, or being read. */
  has(sessionId: string): boolean {
    return this.#rooms.has(sessionId);
  }

  /** The guest is in, or has gone. A room that turned out to be nothing is closed at once. */
  release(room: Room): void {
    room.guests--;
    if (room.guests + room.size === 0 && !room.isKnown) this.#close(room);
  }

  /** Whether ids without a session hold as many rooms as they may. */
  get isFullOfUnknown(): boolean {
    let unknown = 0;
    for (const room of this.#rooms.values()) if (!room.isKnown) unknown++;
    return unknown > this.options.roomsMax * UNKNOWN_PART;
  }

  /** Everything may have changed unheard. */
  async readAll(): Promise<void> {
    const rooms = [...this.#rooms.values()];
    // What was said of connections while a gateway was cut off, nobody can hear again.
    for (const room of rooms)
      for (const client of room.players.values()) this.parts.duties.seatHeld(room, client);
    const worker = async () => {
      for (let room = rooms.pop(); room; room = rooms.pop())
        await room.read().catch(this.options.onReadFailed);
    };
    await Promise.all(Array.from({ length: READS_MAX }, worker));
  }

  sweep(now: number): void {
    for (const room of this.#rooms.values()) {
      if (this.#isIdle(room) && now - room.emptySince >= this.options.lingerMs) this.#close(room);
      else if (room.check(now) === "overdue") room.read().catch(this.options.onReadFailed);
    }
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const room of this.#rooms.values()) this.#close(room);
  }

  #isIdle(room: Room): boolean {
    return room.guests + room.size === 0;
  }

  #closeIdle(): boolean {
    for (const room of this.#rooms.values())
      if (this.#isIdle(room)) {
        this.#close(room);
        return true;
      }
    return false;
  }

  #close(room: Room): void {
    this.#rooms.delete(room.sessionId);
    room.close();
  }
}
