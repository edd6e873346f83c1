/**
 * A lane of the log as its writer sees it: a fold of the entries so far, and decisions on what comes
 * next. Pure; the fence that makes the fold complete is in adapters/fenced-lane.ts.
 */

/** The fold of one lane. `Command` asks, `Change` is what an entry holds, `Verdict` answers. */
export interface LaneFold<Command, Change, Verdict> {
  /**
   * What becomes of a command now: a verdict alone where the log has decided before, or a change to
   * append with the verdict it will have. `ahead` holds the changes of the entry being made. `unsure`
   * marks a verdict that later entries can overturn: it holds only for who has read to the end.
   */
  decide(
    command: Command,
    ahead: readonly Change[],
  ): { change?: Change; verdict: Verdict; unsure?: boolean };
  /** Takes in what the entry at this sequence of the log holds. */
  apply(changes: readonly Change[], entry: { closed: boolean; sequence: number }): void;
  /** No change can be appended any more. */
  readonly closed: boolean;
}
