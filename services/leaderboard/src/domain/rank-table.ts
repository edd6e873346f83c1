/** Points and rank of everybody of a session, by scorer key, from one ordered pass over its board. */
export class RankTable {
  readonly #ranks = new Map<string, number>();
  readonly #points: number[] = [];

  /** Adds the player that comes next in the order. A player that was there before keeps its rank. */
  add(scorer: string, points: number): void {
    if (this.#ranks.has(scorer)) return;
    this.#points.push(points);
    this.#ranks.set(scorer, this.#points.length);
  }

  get players(): number {
    return this.#points.length;
  }

  /** From 1; 0 for who has no score. */
  rankOf(scorer: string): number {
    return this.#ranks.get(scorer) ?? 0;
  }

  /** Total of the player at this rank, from 1; 0 where nobody is. */
  pointsAt(rank: number): number {
    return this.#points[rank - 1] ?? 0;
  }

  /** Points from this rank to the one directly above; 0 for the first. */
  gapAt(rank: number): number {
    const points = this.pointsAt(rank);
    return (this.#points[rank - 2] ?? points) - points;
  }
}
