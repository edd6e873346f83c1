/** What tells whether two reads of a board saw the same rows in the same order. */

/**
 * Of a board whose session goes on: places in the log of the session's first entry, 0 where nobody created
 * it, and of what moved rows last. A board that is built again from the log comes to the same state.
 */
export function liveState(start: string, scored: string): string {
  return `${start} ${scored}`;
}

/**
 * Of a board whose session has ended, in whatever store: nothing moves its rows any more, but a ban, which
 * takes one away.
 */
export function finalState(start: string | bigint, players: number): string {
  return `final ${start} ${players}`;
}
