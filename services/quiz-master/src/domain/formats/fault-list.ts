/** Collects what an import could not take as it stands: every row counted, a bounded number kept. */
import { LIMITS } from "../limits.js";
import { clip, flatten } from "../text.js";

/** Where a row stands, and how it begins. */
export interface RowPlace {
  /** From 1. */
  line: number;
  excerpt: string;
}

export interface RowFault extends RowPlace {
  reason: string;
  /** True: kept with a change. False: left out. */
  mended: boolean;
}

export function placeOf(line: number, text: string): RowPlace {
  return { line, excerpt: clip(flatten(text), LIMITS.EXCERPT_MAX) };
}

export class FaultList {
  readonly #kept: RowFault[] = [];
  mended = 0;
  leftOut = 0;

  addMended(place: RowPlace, reason: string): void {
    this.mended++;
    this.#add({ ...place, reason, mended: true });
  }

  addLeftOut(place: RowPlace, reason: string): void {
    this.leftOut++;
    this.#add({ ...place, reason, mended: false });
  }

  /** In the order of the file; the last one says so when there were more than may be reported. */
  list(): RowFault[] {
    const beyond = this.mended + this.leftOut - this.#kept.length;
    const faults = [...this.#kept];
    const last = beyond > 0 ? faults.pop() : undefined;
    faults.sort((a, b) => a.line - b.line);
    if (!last) return faults;
    const reason = `this and ${beyond} more rows have faults; mend the others and import again`;
    return [...faults, { ...last, reason, mended: false }];
  }

  #add(fault: RowFault): void {
    if (this.#kept.length < LIMITS.IMPORT_FAULTS_MAX) this.#kept.push(fault);
  }
}
