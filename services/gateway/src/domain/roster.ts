/**
 * The names of a session's players, as hosts are told them: in the order of joining, each host from
 * the beginning, a slice at a time.
 */
import type { Client } from "./client.js";

export interface PlayerName {
  playerId: string;
  nickname: string;
}

export interface ListedPlayer extends PlayerName {
  /** False for who was removed: listed, but never told. */
  isIn: boolean;
}

/** Names in one frame. */
const SLICE_MAX = 1_000;

export class Roster {
  readonly #names: PlayerName[] = [];
  /** Whom the list has named so far, removed players included. */
  readonly #listed = new Map<string, boolean>();
  readonly #removed: string[] = [];
  /** How far each host has been told: names, removals. */
  readonly #told = new Map<Client, { names: number; removed: number }>();
  /** Where the list of players goes on; "" reads from the beginning. */
  pageToken = "";

  /** Takes a page of the list; who was there before counts once. */
  add(players: readonly ListedPlayer[]): void {
    for (const { playerId, nickname, isIn } of players) {
      if (this.#listed.has(playerId)) continue;
      this.#listed.set(playerId, isIn);
      if (isIn) this.#names.push({ playerId, nickname });
    }
  }

  get listed(): number {
    return this.#listed.size;
  }

  /** False where nobody was told of this player. */
  remove(playerId: string): boolean {
    if (!this.#listed.get(playerId)) return false;
    this.#listed.set(playerId, false);
    this.#removed.push(playerId);
    return true;
  }

  /** The next slice for this host; undefined where the host knows all. */
  next(host: Client): { joined: PlayerName[]; removed: string[] } | undefined {
    const told = this.#told.get(host) ?? { names: 0, removed: 0 };
    const joined = this.#names.slice(told.names, told.names + SLICE_MAX);
    // A removal is told after the name that it takes away.
    const all = told.names + joined.length === this.#names.length;
    const removed = all ? this.#removed.slice(told.removed) : [];
    if (joined.length + removed.length === 0) return undefined;
    this.#told.set(host, {
      names: told.names + joined.length,
      removed: told.removed + removed.length,
    });
    return { joined, removed };
  }

  /** Whether this host has to be told more. */
  owes(host: Client): boolean {
    const told = this.#told.get(host) ?? { names: 0, removed: 0 };
    return told.names < this.#names.length || told.removed < this.#removed.length;
  }

  forget(host: Client): void {
    this.#told.delete(host);
    if (this.#told.size === 0) this.clear();
  }

  clear(): void {
    this.#names.length = 0;
    this.#removed.length = 0;
    this.#listed.clear();
    this.#told.clear();
    this.pageToken = "";
  }
}
