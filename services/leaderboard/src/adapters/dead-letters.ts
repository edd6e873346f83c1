/** Entries that nobody can read go to the dead-letter stream, once each, with the reason. */
import { create, toJsonString } from "@bufbuild/protobuf";
import type { Bus } from "@fanfare/common/bus";
import type { Logger } from "@fanfare/common/log";
import type { LogEntry } from "@fanfare/common/partition-reader";
import { publishedSubject, subjectForDeadLetter } from "@fanfare/proto/addresses";
import { DeadLetterSchema } from "@fanfare/proto/events/v1/events";
import type { Unreadable } from "../domain/read-entry.js";
import type { LeaderboardMetrics } from "../metrics.js";

const CONTENT_BYTES_MAX = 1_024;
const REASON_LENGTH_MAX = 200;

export interface Letter {
  entry: LogEntry;
  fault: Unreadable["fault"];
  reason: string;
}

export class DeadLetters {
  constructor(private readonly parts: { bus: Bus; metrics: LeaderboardMetrics; log: Logger }) {}

  /**
   * Stores the letters. Safe to repeat: an entry of a generation is kept once within the stream's
   * duplicate window. Never throws: a letter that can't be stored must not hold up the boards, and
   * the entry itself is still in the log.
   */
  async publish(letters: readonly Letter[], generation: string): Promise<void> {
    const { bus, metrics, log } = this.parts;
    const stored = letters.map(async ({ entry, fault, reason }) => {
      metrics.deadLetters.inc({ reason: fault });
      const letter = create(DeadLetterSchema, {
        subject: publishedSubject(entry.subject),
        sequence: BigInt(entry.sequence),
        reason: reason.slice(0, REASON_LENGTH_MAX),
        content: entry.data.slice(0, CONTENT_BYTES_MAX),
      });
      await bus.js.publish(
        subjectForDeadLetter("leaderboard"),
        toJsonString(DeadLetterSchema, letter),
        { msgID: `${generation}-${entry.sequence}` },
      );
    });
    for (const [i, result] of (await Promise.allSettled(stored)).entries())
      if (result.status === "rejected")
        log.warn(
          { err: result.reason, sequence: letters[i]?.entry.sequence },
          "dead letter not stored",
        );
  }
}
