/**
 * Answer times of one room on this process's monotonic clock: from the moment when the question was
 * shown here. No client and no other pod's clock has a say in it.
 */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { NO_TIME_MS } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";

export type TimedAnswer =
  | { kind: "timed"; elapsedMs: number }
  | { kind: "refused"; reason: ErrorReason };

export class AnswerClock {
  #session: Session | undefined;
  /** Which stretch of which round `#shownAt` belongs to: a pause begins a new stretch. */
  #stretch = "";
  #shownAt = 0;

  /**
   * Takes a record whose question is shown here now. `commonNow`, on the clock of all pods, is given
   * where this gateway comes to know the session in its middle: then the time that passed counts.
   */
  show(session: Session | undefined, now: number, commonNow?: number): void {
    this.#session = session;
    if (session?.phase !== Phase.OPEN || session.paused) return;
    const startedMs = session.phaseStartedAt ? timestampMs(session.phaseStartedAt) : 0;
    const stretch = `${session.logStart}:${session.round}:${startedMs}:${session.elapsedBeforeMs}`;
    if (stretch === this.#stretch) return;
    this.#stretch = stretch;
    this.#shownAt = commonNow === undefined ? now : now - Math.max(0, commonNow - startedMs);
  }

  /**
   * The answer time of an answer that arrives `now`, or why it is too early. Nobody is too late here: the
   * same answer may have been sent before, through another gateway, and only the log knows of it.
   */
  time(round: number, now: number): TimedAnswer {
    const session = this.#session;
    if (!session || round > session.round) return refused(ErrorReason.ROUND_NOT_OPEN);
    if (round < session.round) return timed(NO_TIME_MS);
    switch (session.phase) {
      case Phase.LOBBY:
      case Phase.READING:
        return refused(ErrorReason.ROUND_NOT_OPEN);
      case Phase.OPEN:
        if (session.paused) return refused(ErrorReason.ROUND_NOT_OPEN);
        return this.#measure(session, now);
      // The log may still be open for what was sent in time: the quiz service decides.
      case Phase.CLOSING:
        return this.#measure(session, now);
      default:
        return timed(NO_TIME_MS);
    }
  }

  #measure(session: Session, now: number): TimedAnswer {
    if (!this.#stretch.startsWith(`${session.logStart}:${session.round}:`))
      return timed(NO_TIME_MS);
    return timed(session.elapsedBeforeMs + Math.max(0, Math.round(now - this.#shownAt)));
  }
}

function timed(elapsedMs: number): TimedAnswer {
  return { kind: "timed", elapsedMs };
}

function refused(reason: ErrorReason): TimedAnswer {
  return { kind: "refused", reason };
}
