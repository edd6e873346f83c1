/**
 * Results that could not be told, as the log did not say whether there was an answer: it is asked again,
 * with a growing pause, until it does, and as long as the player is here.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Backoff } from "@fanfare/common/backoff";
import type { Client } from "../domain/client.js";
import type { Room } from "../domain/room.js";
import type { Gateway } from "./gateway.js";
import { ownResult } from "./own-result.js";
import { findOutcomes, readStandings, verdictFor } from "./tell-results.js";

/** All gateways are cut off at the same moment. */
const PAUSES = { firstMs: 500, maxMs: 5_000 };

export class OwedResults {
  /** By room and round; one loop for each room that owes. */
  readonly #rooms = new Map<Room, Map<number, Set<Client>>>();

  constructor(private readonly gateway: () => Gateway) {}

  /** Never throws. */
  add(room: Room, round: number, client: Client): void {
    const rounds = this.#rooms.get(room);
    if (rounds) {
      rounds.set(round, (rounds.get(round) ?? new Set()).add(client));
      return;
    }
    const first = new Map([[round, new Set([client])]]);
    this.#rooms.set(room, first);
    void this.#pay(room, first);
  }

  async #pay(room: Room, rounds: Map<number, Set<Client>>): Promise<void> {
    const backoff = new Backoff(PAUSES);
    while (rounds.size > 0) {
      await pause(backoff.next(), undefined, { ref: false });
      for (const [round, clients] of rounds) {
        await this.#tell(room, round, clients);
        if (clients.size === 0) rounds.delete(round);
      }
    }
    this.#rooms.delete(room);
  }

  async #tell(room: Room, round: number, clients: Set<Client>): Promise<void> {
    for (const client of clients) if (client.closed) clients.delete(client);
    if (clients.size === 0) return;
    const gateway = this.gateway();
    const asked = [...clients];
    const found = await findOutcomes(gateway, room, round, asked);
    const known = asked.filter((client) => verdictFor(client, round) ?? found(client));
    if (known.length === 0) return;
    const ids = known.map(({ playerId }) => playerId);
    const response = await readStandings(gateway, room, { ids, round });
    // Totals of a later round are not those after this one.
    const standings = response?.finalRound === round ? response : undefined;
    for (const client of known) {
      const outcome = verdictFor(client, round) ?? found(client);
      client.send(gateway.encoder.ownResult(ownResult(round, outcome, standings, client.playerId)));
      clients.delete(client);
    }
  }
}
