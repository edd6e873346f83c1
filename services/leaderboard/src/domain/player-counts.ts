/** How many players the sessions that have not ended have, as the boards of this pod's partitions say. */

export class PlayerCounts {
  /** By partition and session; none for sessions without players. */
  readonly #joined = new Map<number, Map<string, number>>();

  /** Takes what a board says; 0 for one that has ended or is no more. */
  note(partition: number, sessionId: string, joined: number): void {
    const sessions = this.#joined.get(partition) ?? new Map<string, number>();
    if (joined > 0) sessions.set(sessionId, joined);
    else sessions.delete(sessionId);
    this.#joined.set(partition, sessions);
  }

  /** Forgets the sessions of a partition that are not among these. */
  retain(partition: number, sessionIds: readonly string[]): void {
    const sessions = this.#joined.get(partition);
    if (!sessions) return;
    const there = new Set(sessionIds);
    for (const sessionId of sessions.keys()) if (!there.has(sessionId)) sessions.delete(sessionId);
  }

  /** Over the partitions that `isMine` accepts: what others read now is theirs to say. */
  total(isMine: (partition: number) => boolean): number {
    let total = 0;
    for (const [partition, sessions] of this.#joined)
      if (isMine(partition)) for (const joined of sessions.values()) total += joined;
    return total;
  }
}
