/**
 * Free seats of a session move to the lane that has none: a lane gives some in an entry of its own, the
 * other lane takes them in one of its own, each behind its lane's fence. So the sum is never above
 * players_max, whoever writes; a move that was broken off in between is completed by the next pod that
 * looks for a seat (docs/adr/0015).
 */
import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { unavailable } from "@fanfare/common/errors";
import { FreshRead } from "@fanfare/common/fresh-read";
import { type PlayerChange, PlayerChangeSchema } from "@fanfare/proto/events/v1/events";
import type { PlayerFold, PlayerVerdict } from "../domain/player-fold.js";

/** Pods that look for seats at the same time come in each other's way; one of them always gets on. */
const TRIES_MAX = 20;

export interface SeatLane {
  readonly fold: PlayerFold;
  refresh(): Promise<void>;
  submit(changes: readonly PlayerChange[]): Promise<PlayerVerdict[]>;
}

export class SeatMoves {
  readonly #searches: FreshRead<boolean>[];
  /** How many wait for a seat, by lane. */
  readonly #wanted: number[];

  constructor(private readonly lanes: readonly SeatLane[]) {
    this.#wanted = lanes.map(() => 0);
    this.#searches = lanes.map((_, to) => new FreshRead(() => this.#search(to)));
  }

  /**
   * Brings seats to a lane that has none; one search serves all who wait for it. False where no lane had
   * one at some moment of the search. Throws UNAVAILABLE.
   */
  async bring(to: number): Promise<boolean> {
    this.#want(to, 1);
    try {
      return (await this.#searches[to]?.begin()) ?? false;
    } finally {
      this.#want(to, -1);
    }
  }

  #want(lane: number, more: number): void {
    this.#wanted[lane] = (this.#wanted[lane] ?? 0) + more;
  }

  async #search(to: number): Promise<boolean> {
    const lane = this.lanes[to];
    if (!lane) return false;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      await Promise.all(this.lanes.map((each) => each.refresh()));
      // Seats on their way are no lane's: where they end decides whether the session is full.
      const completed = await this.#complete();
      if (lane.fold.free > 0) return true;
      if (completed) continue;
      const donors = this.#donors(this.#wanted[to] ?? 1);
      if (donors.length === 0) return false;
      const moves = await Promise.all(donors.map((donor) => this.#move(donor, lane, to)));
      if (moves.some(Boolean)) return true;
    }
    throw unavailable("a seat");
  }

  /** Lanes with free seats, the freest first, as many as it takes for what is wanted. */
  #donors(wanted: number): SeatLane[] {
    const free = this.lanes.filter(({ fold }) => fold.free > 0);
    free.sort((a, b) => b.fold.free - a.fold.free);
    let seats = 0;
    const enough = free.findIndex(({ fold }) => {
      seats += Math.ceil(fold.free / 2);
      return seats >= wanted;
    });
    return enough < 0 ? free : free.slice(0, enough + 1);
  }

  async #move(from: SeatLane, lane: SeatLane, to: number): Promise<boolean> {
    const moveId = randomUUID();
    const seats = Math.max(1, this.#wanted[to] ?? 1);
    const [given] = await from.submit([changeOf("given", { moveId, toLane: to, seats })]);
    if (given?.kind !== "moved") return false;
    await lane.submit([changeOf("taken", { moveId, seats: given.seats })]);
    return true;
  }

  /** Takes what was given and has not arrived. Whether there was something. */
  async #complete(): Promise<boolean> {
    const underway = this.lanes.flatMap(({ fold }) =>
      [...fold.given.values()].filter(
        ({ moveId, toLane }) => !this.lanes[toLane]?.fold.hasTaken(moveId),
      ),
    );
    await Promise.all(
      underway.map(({ moveId, toLane, seats }) =>
        this.lanes[toLane]?.submit([changeOf("taken", { moveId, seats })]),
      ),
    );
    return underway.length > 0;
  }
}

function changeOf(
  kind: "given" | "taken",
  value: { moveId: string; seats: number; toLane?: number },
): PlayerChange {
  return create(PlayerChangeSchema, { change: { case: kind, value } as never });
}
