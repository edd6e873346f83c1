/** Entries that a reader of the log passes over go to the dead-letter stream, with the reason. */
import { create, toJsonString } from "@bufbuild/protobuf";
import { publishedSubject, subjectForDeadLetter } from "@fanfare/proto/addresses";
import { DeadLetterSchema } from "@fanfare/proto/events/v1/events";
import type { Bus } from "./bus.js";
import type { Logger } from "./log.js";
import type { LogEntry } from "./partition-reader.js";

const CONTENT_BYTES_MAX = 1_024;
const REASON_LENGTH_MAX = 400;

export interface Letter {
  entry: LogEntry;
  /** One of few, for counting. */
  fault: string;
  reason: string;
}

export class DeadLetters {
  constructor(
    private readonly parts: {
      /** Who passes over: each reader's letters are its own. */
      reader: string;
      bus: Pick<Bus, "js">;
      log: Logger;
      counter: { inc(labels: { reason: string }): void };
    },
  ) {}

  /**
   * Stores the letters. Safe to repeat: an entry of a generation is kept once for each reader within
   * the stream's duplicate window. Never throws: a letter that can't be stored must not hold up the
   * reader, and the entry itself is still in the log.
   */
  async publish(letters: readonly Letter[], generation: string): Promise<void> {
    const { reader, bus, log, counter } = this.parts;
    const stored = letters.map(async ({ entry, fault, reason }) => {
      counter.inc({ reason: fault });
      const letter = create(DeadLetterSchema, {
        subject: publishedSubject(entry.subject),
        sequence: BigInt(entry.sequence),
        // Through bytes, as half of a surrogate pair at the cut would be no text.
        reason: Buffer.from(reason.slice(0, REASON_LENGTH_MAX)).toString(),
        content: entry.data.slice(0, CONTENT_BYTES_MAX),
      });
      await bus.js.publish(subjectForDeadLetter(reader), toJsonString(DeadLetterSchema, letter), {
        msgID: `${reader}-${generation}-${entry.sequence}`,
      });
    });
    for (const [i, result] of (await Promise.allSettled(stored)).entries())
      if (result.status === "rejected")
        log.warn(
          { err: result.reason, sequence: letters[i]?.entry.sequence },
          "dead letter not stored",
        );
  }
}
