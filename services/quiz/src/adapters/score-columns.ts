/**
 * Scores by column, each the text of a PostgreSQL array, as the insert takes them: a row object for each
 * score would cost more than the rest. What is the same for a whole entry is written once for it.
 */
import { arrayOf, element, repeated } from "./array-text.js";

/** What the scores of one entry share. */
export interface ScorePlace {
  sessionId: string;
  logStart: number;
  round: number;
  sequence: number;
  storedAtMs: number;
}

export interface Score {
  /** By scorer key: the id itself, but for an outsider. */
  playerId: string;
  points: number;
  /** Missing for what an outsider published. */
  correct?: boolean;
  choices: readonly string[];
  elapsedMs: number;
  submissionId: string;
}

export class ScoreColumns {
  readonly #columns = {
    sessionId: [] as string[],
    logStart: [] as string[],
    round: [] as string[],
    sequence: [] as string[],
    storedAtMs: [] as string[],
    playerId: [] as string[],
    points: [] as number[],
    correct: [] as string[],
    choices: [] as string[],
    elapsedMs: [] as number[],
    submissionId: [] as string[],
  };
  /** Choices are few: their texts by the only choice. */
  readonly #single = new Map<string, string>();

  get length(): number {
    return this.#columns.playerId.length;
  }

  /** Adds the scores of an entry, in order. */
  add(place: ScorePlace, scores: readonly Score[]): void {
    const columns = this.#columns;
    if (scores.length === 0) return;
    columns.sessionId.push(repeated(element(place.sessionId), scores.length));
    for (const name of ["logStart", "round", "sequence", "storedAtMs"] as const)
      columns[name].push(repeated(place[name], scores.length));
    for (const { playerId, points, correct, choices, elapsedMs, submissionId } of scores) {
      columns.playerId.push(element(playerId));
      columns.points.push(points);
      columns.correct.push(correct === undefined ? "NULL" : correct ? "t" : "f");
      columns.choices.push(this.#choices(choices));
      columns.elapsedMs.push(elapsedMs);
      columns.submissionId.push(element(submissionId));
    }
  }

  /** The texts of the arrays. */
  texts(): Record<keyof ScorePlace | keyof Score, string> {
    const { playerId, points, correct, choices, elapsedMs, submissionId, ...shared } =
      this.#columns;
    return {
      sessionId: arrayOf(shared.sessionId),
      logStart: arrayOf(shared.logStart),
      round: arrayOf(shared.round),
      sequence: arrayOf(shared.sequence),
      storedAtMs: arrayOf(shared.storedAtMs),
      playerId: arrayOf(playerId),
      points: arrayOf(points),
      correct: arrayOf(correct),
      choices: arrayOf(choices),
      elapsedMs: arrayOf(elapsedMs),
      submissionId: arrayOf(submissionId),
    };
  }

  /** A list within the list: an array's text, as an element. */
  #choices(choices: readonly string[]): string {
    const [only] = choices;
    const known = choices.length === 1 ? this.#single.get(only ?? "") : undefined;
    if (known !== undefined) return known;
    const text = element(arrayOf(choices.map(element)));
    if (choices.length === 1) this.#single.set(only ?? "", text);
    return text;
  }
}
