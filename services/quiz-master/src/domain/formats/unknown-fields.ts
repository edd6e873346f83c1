/** Fields of a file that nobody knows: left out, and reported once per name. */
import { quoted } from "@fanfare/proto/questions/text";
import type { FaultList, RowPlace } from "./fault-list.js";

export class UnknownFields {
  readonly #seen = new Set<string>();

  constructor(private readonly faults: FaultList) {}

  report(members: ReadonlyMap<string, unknown>, known: ReadonlySet<string>, place: RowPlace): void {
    for (const name of members.keys()) {
      if (known.has(name) || this.#seen.has(name)) continue;
      this.#seen.add(name);
      this.faults.addMended(
        place,
        `the field ${quoted(name)} is not known and was left out, here and wherever it stands`,
      );
    }
  }
}
