/**
 * Rows beyond a snapshot, for those at /livescore who asked for more than 100: one read for the room
 * at a time, at most two a second, and only when the board has moved.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Room } from "../domain/room.js";
import type { Gateway } from "./gateway.js";

const EVERY_MS = 500;

export class WideRowsReader {
  readonly #busy = new Map<Room, { again: boolean }>();

  constructor(private readonly gateway: () => Gateway) {}

  /** The board has moved. Never throws. */
  due(room: Room): void {
    const busy = this.#busy.get(room);
    if (busy) busy.again = true;
    else void this.#follow(room);
  }

  /** Reads now, for a first frame. Never rejects: without the leaderboard the snapshot has to do. */
  async read(room: Room, limit: number): Promise<void> {
    const count = room.liveScores.wideRowsWanted(limit);
    if (count === 0) return;
    try {
      room.liveScores.showWide(await this.gateway().boards.rows(room.sessionId, count));
    } catch (error) {
      this.gateway().onFault(error, "rows beyond the snapshot not read");
    }
  }

  async #follow(room: Room): Promise<void> {
    const state = { again: false };
    this.#busy.set(room, state);
    do {
      state.again = false;
      await this.read(room, 0);
      await pause(EVERY_MS, undefined, { ref: false });
    } while (state.again);
    this.#busy.delete(room);
  }
}
