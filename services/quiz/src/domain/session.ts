/**
 * The phases of a session, as a pure state machine: a record, the frozen quiz and the time go in, the
 * next record or a refusal comes out. Times are milliseconds on the common clock. Nothing here
 * reads a clock or draws a number.
 */
import { clone } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import {
  type ChoiceCount,
  type FrozenQuiz,
  Pacing,
  Phase,
  PublicQuestionSchema,
  type Session,
  SessionSchema,
} from "@fanfare/proto/quiz/v1/session";
import { type Refusal, refuse } from "./refusal.js";

/** A record that is still half made after this time was left behind by a pod that died. */
export const HALF_MADE_MS = 10_000;

/** Longest that a round can become by extensions: 500 of them stay below scores.ts: TIME_SPAN_MS. */
const TIME_LIMIT_MAX_MS = 1_000_000;

/** What a command makes of a session: the next record, "unchanged" where it was done before, or no. */
export type Outcome = Session | "unchanged" | Refusal;

export function isOver(session: Session): boolean {
  return session.phase === Phase.ENDED;
}

/** When the clock has to act, in ms; undefined where it waits for somebody. */
export function dueAt(session: Session): number | undefined {
  if (session.paused || isOver(session)) return undefined;
  if (session.phase === Phase.CLOSING) return msOf(session.phaseStartedAt);
  const ends = session.phaseEndsAt && msOf(session.phaseEndsAt);
  return ends !== undefined && session.phase === Phase.OPEN ? ends + session.answerGraceMs : ends;
}

/** When a session that waits for somebody is taken for abandoned, in ms; undefined where it does not wait. */
export function abandonedAt(session: Session, idleMs: number): number | undefined {
  if (isOver(session) || dueAt(session) !== undefined) return undefined;
  return msOf(session.phaseStartedAt) + idleMs;
}

/** Ends a session that has waited for somebody for so long, as its host would. */
export function abandon(session: Session, now: number, idleMs: number): Outcome {
  const at = abandonedAt(session, idleMs);
  return at === undefined || now < at ? "unchanged" : end(session, now);
}

/** What the clock does at its time. CLOSING is left by `reveal` alone. */
export function tick(session: Session, quiz: FrozenQuiz, now: number): Outcome {
  const due = dueAt(session);
  if (due === undefined || now < due || session.phase === Phase.CLOSING) return "unchanged";
  return advance(session, quiz, now);
}

function advance(session: Session, quiz: FrozenQuiz, now: number): Outcome {
  switch (session.phase) {
    case Phase.LOBBY:
      return openRound(session, quiz, 1, now);
    case Phase.READING:
      return openAnswers(session, quiz, now);
    case Phase.OPEN:
      return startClosing(session, now);
    case Phase.REVEAL:
      return afterReveal(session, quiz, now);
    default:
      return "unchanged";
  }
}

export function start(session: Session, quiz: FrozenQuiz, now: number): Outcome {
  if (isOver(session)) return ended();
  return session.phase === Phase.LOBBY ? openRound(session, quiz, 1, now) : "unchanged";
}

export function next(
  session: Session,
  quiz: FrozenQuiz,
  now: number,
  expected?: { phase: Phase; round: number },
): Outcome {
  if (isOver(session)) return expected && expected.phase !== Phase.ENDED ? "unchanged" : ended();
  if (expected && (session.phase !== expected.phase || session.round !== expected.round))
    return isBehind(session, expected) ? "unchanged" : mismatch(session);
  if (session.phase === Phase.CLOSING) return "unchanged";
  return advance(unpause(session, now), quiz, now);
}

/** Whether the session has gone beyond what the host saw: then the command was done before. */
function isBehind(session: Session, expected: { phase: Phase; round: number }): boolean {
  if (session.round !== expected.round) return session.round > expected.round;
  return session.phase > expected.phase;
}

/** Everybody who is there has answered this round: its time need not pass. */
export function closeAnswered(
  session: Session,
  now: number,
  { logStart, round }: Pick<Session, "logStart" | "round">,
): Outcome {
  const isSame = session.logStart === logStart && session.round === round;
  return isSame && closesWhenAllAnswered(session) ? startClosing(session, now) : "unchanged";
}

/** Whether the answers of all end the session's phase as it is now. */
export function closesWhenAllAnswered({ phase, paused, options }: Session): boolean {
  return phase === Phase.OPEN && !paused && options?.closeWhenAllAnswered === true;
}

/** How long answers have been taken in the open round, pauses left out. */
export function openForMs(session: Session, now: number): number {
  return now - msOf(session.phaseStartedAt) + session.elapsedBeforeMs;
}

export function pauseClock(session: Session, now: number): Outcome {
  if (isOver(session)) return ended();
  if (session.paused) return "unchanged";
  if (session.phase === Phase.LOBBY || session.phase === Phase.CLOSING) return mismatch(session);
  const paused = clone(SessionSchema, session);
  paused.paused = true;
  if (session.phaseEndsAt) paused.pausedRemainingMs = Math.max(0, msOf(session.phaseEndsAt) - now);
  if (session.phase === Phase.OPEN)
    paused.elapsedBeforeMs += Math.max(0, now - msOf(session.phaseStartedAt));
  delete paused.phaseEndsAt;
  return paused;
}

export function continueClock(session: Session, now: number): Outcome {
  if (isOver(session)) return ended();
  return session.paused ? unpause(session, now) : "unchanged";
}

function unpause(session: Session, now: number): Session {
  if (!session.paused) return session;
  const going = clone(SessionSchema, session);
  going.paused = false;
  going.phaseStartedAt = timestampFromMs(now);
  const waitsForHost = session.phase === Phase.REVEAL && session.options?.pacing !== Pacing.AUTO;
  if (!waitsForHost || session.skipping)
    going.phaseEndsAt = timestampFromMs(now + session.pausedRemainingMs);
  going.pausedRemainingMs = 0;
  return going;
}

export function extend(session: Session, seconds: number, expectedLimitMs: number): Outcome {
  if (isOver(session)) return ended();
  if (session.phase !== Phase.OPEN) return mismatch(session);
  if (expectedLimitMs !== 0 && session.timeLimitMs !== expectedLimitMs)
    return session.timeLimitMs === expectedLimitMs + seconds * 1_000
      ? "unchanged"
      : mismatch(session);
  if (session.timeLimitMs + seconds * 1_000 > TIME_LIMIT_MAX_MS)
    return refuse(ErrorReason.INVALID_FIELD, "a round may last 1,000 s at most", {
      field: "seconds",
    });
  const longer = clone(SessionSchema, session);
  longer.timeLimitMs += seconds * 1_000;
  if (session.paused) longer.pausedRemainingMs += seconds * 1_000;
  else if (session.phaseEndsAt)
    longer.phaseEndsAt = timestampFromMs(msOf(session.phaseEndsAt) + seconds * 1_000);
  return longer;
}

export function skip(session: Session, quiz: FrozenQuiz, now: number, round: number): Outcome {
  if (isOver(session)) return ended();
  if (round !== 0 && session.round !== round)
    return session.round > round ? "unchanged" : mismatch(session);
  if (session.phase === Phase.LOBBY) return mismatch(session);
  if (session.skipping) return "unchanged";
  const going = unpause(session, now);
  if (session.phase === Phase.READING || session.phase === Phase.REVEAL)
    return afterReveal(going, quiz, now);
  const skipping =
    session.phase === Phase.OPEN ? startClosing(going, now) : clone(SessionSchema, going);
  skipping.skipping = true;
  return skipping;
}

/** An open round is closed first and counts: the session's last round becomes this one. */
export function end(session: Session, now: number): Outcome {
  const isClosing = session.phase === Phase.CLOSING;
  const isEnding = isClosing && session.skipping && session.rounds === session.round;
  if (isOver(session) || isEnding) return "unchanged";
  if (session.phase !== Phase.OPEN && !isClosing) return endNow(session, now);
  const last = isClosing ? clone(SessionSchema, session) : startClosing(session, now);
  last.rounds = session.round;
  last.skipping = true;
  return last;
}

export function lock(session: Session, locked: boolean): Outcome {
  if (isOver(session)) return ended();
  if (session.locked === locked) return "unchanged";
  return Object.assign(clone(SessionSchema, session), { locked });
}

/** Leaves CLOSING once the log holds every lane's close. */
export function reveal(
  session: Session,
  quiz: FrozenQuiz,
  now: number,
  result: { answers: number; distribution: ChoiceCount[] },
): Outcome {
  if (session.phase !== Phase.CLOSING) return "unchanged";
  const question = quiz.questions[session.round - 1];
  const shown = begin(session, Phase.REVEAL, now);
  shown.previousRound = session.round;
  shown.reveal = {
    $typeName: "quiz.v1.Reveal",
    answer: question?.answer ?? [],
    explanation: question?.explanation ?? "",
    ...result,
  };
  if (session.skipping) shown.phaseEndsAt = timestampFromMs(now);
  else if (session.options?.pacing === Pacing.AUTO)
    shown.phaseEndsAt = timestampFromMs(now + session.options.revealSeconds * 1_000);
  return shown;
}

function openRound(session: Session, quiz: FrozenQuiz, round: number, now: number): Session {
  const question = quiz.questions[round - 1];
  if (!question?.question) throw new Error(`the frozen quiz has no question ${round}`);
  const readingMs = (session.options?.readingSeconds ?? 0) * 1_000;
  const opened = begin(session, Phase.READING, now);
  opened.round = round;
  opened.skipping = false;
  opened.timeLimitMs = question.timeLimitMs;
  opened.elapsedBeforeMs = 0;
  opened.outageFromMs = opened.outageToMs = 0n;
  opened.givenBackMs = 0;
  opened.question = clone(PublicQuestionSchema, question.question);
  opened.question.options = [];
  if (readingMs === 0) return openAnswers(opened, quiz, now);
  opened.phaseEndsAt = timestampFromMs(now + readingMs);
  return opened;
}

function openAnswers(session: Session, quiz: FrozenQuiz, now: number): Session {
  const opened = begin(session, Phase.OPEN, now);
  const question = quiz.questions[session.round - 1]?.question;
  if (!question) throw new Error(`the frozen quiz has no question ${session.round}`);
  opened.question = question;
  opened.phaseEndsAt = timestampFromMs(now + session.timeLimitMs);
  return opened;
}

function startClosing(session: Session, now: number): Session {
  return begin(session, Phase.CLOSING, now);
}

function afterReveal(session: Session, quiz: FrozenQuiz, now: number): Session {
  if (session.round >= session.rounds) return endNow(session, now);
  return openRound(session, quiz, session.round + 1, now);
}

function endNow(session: Session, now: number): Session {
  const over = begin(session, Phase.ENDED, now);
  delete over.question;
  over.endedAt = timestampFromMs(now);
  over.pin = "";
  over.rounds = session.round;
  return over;
}

/** A copy in its next phase, without what belonged to the last one. */
function begin(session: Session, phase: Phase, now: number): Session {
  const begun = clone(SessionSchema, session);
  begun.phase = phase;
  begun.phaseStartedAt = timestampFromMs(now);
  begun.paused = false;
  begun.pausedRemainingMs = 0;
  delete begun.phaseEndsAt;
  delete begun.reveal;
  return begun;
}

function msOf(time: Timestamp | undefined): number {
  return time ? timestampMs(time) : 0;
}

function ended(): Refusal {
  return refuse(ErrorReason.SESSION_ENDED, "the session has ended; create a new one");
}

function mismatch(session: Session): Refusal {
  return refuse(
    ErrorReason.PHASE_MISMATCH,
    `the session is in round ${session.round}, ${Phase[session.phase]}${session.paused ? ", paused" : ""}; read it again`,
    { phase: `PHASE_${Phase[session.phase]}`, round: String(session.round) },
  );
}
