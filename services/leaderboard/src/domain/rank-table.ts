/** Points and rank of every player of a session, from one ordered pass over its board. */

/** Where one player stands. */
export interface Rank {
  points: number;
  /** From 1. */
  rank: number;
  /** Points to the player directly above; 0 for the first. */
  gap: number;
}

export class RankTable {
  readonly #ranks = new Map<string, number>();
  readonly #points: number[] = [];

  /** Adds the player that comes next in the order. A player that was there before keeps its rank. */
  add(playerId: string, points: number): void {
    if (this.#ranks.has(playerId)) return;
    this.#points.push(points);
    this.#ranks.set(playerId, this.#points.length);
  }

  get players(): number {
    return this.#points.length;
  }

  /** Undefined for who has no score. */
  find(playerId: string): Rank | undefined {
    const rank = this.#ranks.get(playerId);
    if (rank === undefined) return undefined;
    const points = this.#points[rank - 1] ?? 0;
    return { points, rank, gap: (this.#points[rank - 2] ?? points) - points };
  }
}

/** Places won since the table before; 0 where one of the two does not know the player. */
export function placesWon(playerId: string, table: RankTable, before?: RankTable): number {
  const now = table.find(playerId)?.rank;
  const then = before?.find(playerId)?.rank;
  return now === undefined || then === undefined ? 0 : then - now;
}
