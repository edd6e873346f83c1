/** Tells a room's hosts who came and went: at most twice a second, and no faster than they read. */
import { setTimeout as pause } from "node:timers/promises";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import type { Room } from "../domain/room.js";
import type { Gateway } from "./gateway.js";

const EVERY_MS = 500;
/** A host with more than this waiting gets no names until it has read. */
const WAITING_BYTES_MAX = 64 * 1024;

/** One loop for each room that owes names; it ends when all hosts know all. */
export class NameTeller {
  readonly #busy = new Map<Room, { again: boolean }>();

  constructor(private readonly gateway: () => Gateway) {}

  /** Somebody came or went, or a host is new. Never throws. */
  due(room: Room): void {
    const busy = this.#busy.get(room);
    if (busy) busy.again = true;
    else void this.#tell(room);
  }

  async #tell(room: Room): Promise<void> {
    const state = { again: true };
    this.#busy.set(room, state);
    try {
      while (room.hosts.size > 0 && (state.again || this.#owes(room))) {
        if (state.again) state.again = !(await this.#readNew(room, state));
        this.#tellHosts(room);
        await pause(EVERY_MS, undefined, { ref: false });
      }
    } catch (error) {
      this.gateway().onFault(error, "names not told; they are with the next who comes or goes");
    } finally {
      this.#busy.delete(room);
    }
  }

  /** Reads the list of players on from where it ended last time; false where it is to be tried again. */
  async #readNew(room: Room, state: { again: boolean }): Promise<boolean> {
    state.again = false;
    try {
      await this.#readPages(room);
      return !state.again;
    } catch (error) {
      this.gateway().onFault(error, "names not read; they are read again");
      return false;
    }
  }

  async #readPages({ roster, sessionId }: Room): Promise<void> {
    let fromStart = roster.pageToken === "";
    for (;;) {
      const page = await this.gateway().admissions.list(sessionId, roster.pageToken);
      roster.add(
        page.players.map((each) => ({ ...each, isIn: each.status === PlayerStatus.ACTIVE })),
      );
      if (page.nextPageToken !== "") roster.pageToken = page.nextPageToken;
      else if (fromStart || roster.listed >= page.total) return;
      else {
        // Somebody was put into a page that was read before.
        roster.pageToken = "";
        fromStart = true;
      }
    }
  }

  #owes(room: Room): boolean {
    for (const host of room.hosts) if (room.roster.owes(host)) return true;
    return false;
  }

  #tellHosts(room: Room): void {
    for (const host of room.hosts) {
      if (host.waitingBytes() > WAITING_BYTES_MAX) continue;
      const value = room.roster.next(host);
      if (value) host.send(this.gateway().encoder.encode({ case: "playersChanged", value }));
    }
  }
}
