/**
 * Collects what an import could not take as it stands: every row counted, a bounded number told. What was
 * left out comes first, whole quizzes before single questions; then what was kept, grouped by the reason.
 */
import { clip, flatten } from "@fanfare/proto/questions/text";
import { LIMITS } from "../limits.js";

/** Where a row stands, and how it begins. */
export interface RowPlace {
  /** From 1. */
  line: number;
  excerpt: string;
}

export interface RowFault extends RowPlace {
  reason: string;
  /** True: kept, and the reason says what was changed or looks wrong. False: left out. */
  mended: boolean;
  /** Where the reason holds for several rows: how many, and the lines of the first of them. */
  count?: number;
  lines?: number[];
  /** The limit that left it out, where it is one with a name. */
  limit?: "FROZEN_QUIZ_BYTES_MAX";
}

/** Faults, or reasons, that the message of a refusal spells out. */
const TOLD_MAX = 5;

export function placeOf(line: number, text: string): RowPlace {
  return { line, excerpt: clip(flatten(text), LIMITS.EXCERPT_MAX) };
}

export class FaultList {
  readonly #quizzes: RowFault[] = [];
  readonly #rows: RowFault[] = [];
  readonly #kept = new Map<string, RowFault>();
  #leftOutBytes = 0;
  #keptBytes = 0;
  /** Rows that were kept with a change or a warning. */
  mended = 0;
  /** Rows and quizzes that were left out. */
  leftOut = 0;
  /** Quizzes among them that no session could hold. */
  tooLarge = 0;

  /** What was changed in a row that was kept, or looks wrong there. */
  addMended(place: RowPlace, ...reasons: string[]): void {
    if (reasons.length > 0) this.mended++;
    for (const reason of reasons) {
      const group = this.#kept.get(reason);
      if (group) addRow(group, place.line);
      else if (this.#kept.size < LIMITS.IMPORT_FAULTS_MAX) {
        this.#keptBytes += bytesOf(place, reason);
        if (this.#keptBytes <= LIMITS.IMPORT_REPORT_BYTES_MAX)
          this.#kept.set(reason, { ...place, reason, mended: true });
      }
    }
  }

  addLeftOut(place: RowPlace, reason: string): void {
    this.leftOut++;
    if (this.#rows.length >= LIMITS.IMPORT_FAULTS_MAX) return;
    this.#leftOutBytes += bytesOf(place, reason);
    if (this.#leftOutBytes <= LIMITS.IMPORT_REPORT_BYTES_MAX)
      this.#rows.push({ ...place, reason, mended: false });
  }

  /** A whole quiz that was left out: told before its questions, whose room it does not need. */
  addLostQuiz(place: RowPlace, reason: string, limit?: RowFault["limit"]): void {
    this.leftOut++;
    if (limit) this.tooLarge++;
    if (this.#quizzes.length < LIMITS.IMPORT_FAULTS_MAX)
      this.#quizzes.push({ ...place, reason, mended: false, ...(limit ? { limit } : {}) });
  }

  counts(): { mended: number; leftOut: number; tooLarge: number } {
    return { mended: this.mended, leftOut: this.leftOut, tooLarge: this.tooLarge };
  }

  /** What was left out, in the order of the file, where there was more the last one says so; then the rest. */
  list(): RowFault[] {
    const leftOut = [...byLine(this.#quizzes), ...byLine(this.#rows)];
    const told = leftOut.slice(0, LIMITS.IMPORT_FAULTS_MAX);
    const untold = this.leftOut - told.length;
    const last = untold > 0 ? told.pop() : undefined;
    if (last) {
      const reason = `this and ${untold} more rows have faults; mend the others and import again`;
      told.push({ ...last, reason });
    }
    return [...told, ...byLine([...this.#kept.values()])].slice(0, LIMITS.IMPORT_FAULTS_MAX);
  }

  /** Why rows were left out: few one by one, of many each reason once, where it is met first. */
  summary(): string {
    const lost = this.list().filter(({ mended }) => !mended);
    if (lost.length <= TOLD_MAX)
      return lost.map(({ line, reason }) => `line ${line}: ${reason}`).join("; ");
    const groups = new Map<string, { line: number; more: number }>();
    for (const { line, reason } of lost) {
      const group = groups.get(reason);
      if (group) group.more++;
      else groups.set(reason, { line, more: 0 });
    }
    const told = [...groups].slice(0, TOLD_MAX).map(([reason, { line, more }]) => {
      return `line ${line}${more > 0 ? ` and ${more} more` : ""}: ${reason}`;
    });
    return `${told.join("; ")}; ${this.leftOut} rows in all`;
  }
}

function addRow(group: RowFault, line: number): void {
  group.count = (group.count ?? 1) + 1;
  group.lines ??= [group.line];
  if (group.lines.length < LIMITS.IMPORT_FAULT_LINES_MAX) group.lines.push(line);
}

function byLine(faults: readonly RowFault[]): RowFault[] {
  return faults.toSorted((a, b) => a.line - b.line);
}

function bytesOf({ excerpt }: RowPlace, reason: string): number {
  return Buffer.byteLength(excerpt) + Buffer.byteLength(reason);
}
