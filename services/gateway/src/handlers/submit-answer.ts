/** A player's answer: read the frame, take the time, send it with others, say what came of it. */
import { type Span, traceIdOf } from "@fanfare/common/tracing";
import { isToken, laneOf } from "@fanfare/proto/addresses";
import { type AnswerVerdict, NO_TIME_MS } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { SubmitAnswer } from "@fanfare/proto/gateway/v1/frames";
import type { Attempt, Client } from "../domain/client.js";
import type { ClientSaysOf } from "../domain/frame-codec.js";
import type { Room } from "../domain/room.js";
import { endAnswerSpan, startAnswerSpan, type TracedAnswer } from "./answer-span.js";
import type { Gateway } from "./gateway.js";
import { advice, type Refusal, refuse, refuseBadFrame } from "./refuse.js";

const CHOICES_MAX = 8;
const CHOICE_CHARS_MAX = 8;
const RETRY_AFTER_MS = 250;
/** Where the service is asked for too many rounds that are over. */
const SLOW_DOWN_MS = 1_000;

/** Never throws. `now` is when the frame arrived, on this process's monotonic clock. */
export function submitAnswer(
  gateway: Gateway,
  client: Client,
  { value: frame, traceparent }: ClientSaysOf<"answer">,
  now: number,
): void {
  const { round, submissionId, choices } = frame;
  const { room } = client;
  if (!room || client.role !== "player") {
    refuseBadFrame(gateway, client, { ...notAPlayer(room), requestId: submissionId });
    return;
  }
  if (client.verdict?.round === round && client.verdict.submissionId === submissionId) {
    client.send(gateway.encoder.accepted({ round, submissionId }));
    return;
  }
  const attempt = admit(gateway, client, room, frame, now);
  if ("reason" in attempt) {
    gateway.metrics.answers.add(ErrorReason[attempt.reason]);
    refuse(gateway, client, { ...attempt, requestId: submissionId });
    return;
  }
  if (attempt.elapsedMs !== NO_TIME_MS) client.attempt = attempt;
  const { sessionId } = room;
  const answer = { sessionId, round, arrivedAt: now, traceparent };
  const sent = { ...answer, room, attempt, span: startAnswerSpan(answer) };
  gateway.answers.submit({
    sessionId,
    round,
    lane: laneOf(client.playerId, room.session?.options?.lanes ?? 1),
    playerId: client.playerId,
    submissionId,
    choices,
    elapsedMs: attempt.elapsedMs,
    span: sent.span,
    settle(verdict) {
      settle(gateway, client, sent, verdict);
      endAnswerSpan(sent.span, sent, verdict);
    },
  });
}

const RETRY_AFTER: Partial<Record<ErrorReason, number>> = {
  [ErrorReason.UNAVAILABLE]: RETRY_AFTER_MS,
  [ErrorReason.SLOW_DOWN]: SLOW_DOWN_MS,
};

function notAPlayer(room: Room | undefined): Refusal {
  if (room) return { reason: ErrorReason.FORBIDDEN, message: "only players answer" };
  return { reason: ErrorReason.UNAUTHENTICATED, message: "say hello first, and wait for joined" };
}

/** The answer with its time, or why it can't be sent on. */
function admit(
  gateway: Gateway,
  client: Client,
  room: Room,
  frame: SubmitAnswer,
  now: number,
): Attempt | Refusal {
  const message = faultOf(frame);
  if (message) return { reason: ErrorReason.INVALID_FIELD, message };
  const { answers, config, metrics, rates } = gateway;
  const rate = rates.answers.take(client.answerRate, now);
  if (rate === undefined) {
    metrics.limitHit("ANSWERS_PER_SECOND_MAX");
    return tooMany(rates.answers.waitMs(client.answerRate, now));
  }
  client.answerRate = rate;
  if (answers.pending >= config.ANSWERS_PENDING_MAX) {
    metrics.limitHit("ANSWERS_PENDING_MAX");
    return tooMany(RETRY_AFTER_MS);
  }
  return time(client, room, frame, now);
}

function tooMany(retryAfterMs: number): Refusal {
  const message = "too many answers at once; send the same frame again";
  return { reason: ErrorReason.SLOW_DOWN, message, retryAfterMs };
}

function faultOf({ round, submissionId, choices }: SubmitAnswer): string | undefined {
  if (!isToken(submissionId)) return "submission_id must be 1 to 64 of A-Z a-z 0-9 _ -";
  if (round < 1) return "round must be the round that you see";
  if (choices.length < 1 || choices.length > CHOICES_MAX)
    return `choices must be 1 to ${CHOICES_MAX}`;
  if (choices.some((each) => each.length < 1 || each.length > CHOICE_CHARS_MAX))
    return `each choice must have 1 to ${CHOICE_CHARS_MAX} characters`;
  return undefined;
}

/** The answer's time, or why it comes too early. What was sent before without a verdict keeps its first. */
function time(
  client: Client,
  room: Room,
  { round, submissionId, choices }: SubmitAnswer,
  now: number,
): Attempt | Refusal {
  const chosen = choices.join("\n");
  const { attempt } = client;
  const isSame = attempt?.round === round && attempt.submissionId === submissionId;
  if (isSame && attempt.choices === chosen) return attempt;
  const timed = room.answerClock.time(round, now);
  if (timed.kind === "refused") return { reason: timed.reason };
  return { round, submissionId, choices: chosen, elapsedMs: timed.elapsedMs };
}

/** An answer on its way. */
interface Sent extends TracedAnswer {
  room: Room;
  attempt: Attempt;
  span: Span | undefined;
}

function settle(
  gateway: Gateway,
  client: Client,
  { room, attempt, arrivedAt, span }: Sent,
  verdict: AnswerVerdict | undefined,
): void {
  const { round, submissionId } = attempt;
  const reason = verdict ? verdict.refused : ErrorReason.UNAVAILABLE;
  if (reason === ErrorReason.UNSPECIFIED && verdict) {
    if (client.attempt === attempt) client.attempt = undefined;
    gateway.metrics.answers.add("accepted");
    gateway.metrics.answerAck.observe((performance.now() - arrivedAt) / 1_000, traceIdOf(span));
    const { points, correct, streak } = verdict;
    if (round >= (client.verdict?.round ?? 0))
      client.verdict = { round, submissionId, points, correct, streak };
    client.send(gateway.encoder.accepted({ round, submissionId }));
    return;
  }
  gateway.metrics.answers.add(ErrorReason[reason]);
  if (reason === ErrorReason.ALREADY_ANSWERED) client.answeredRound = round;
  refuse(gateway, client, {
    reason,
    message: advice(reason),
    retryAfterMs: RETRY_AFTER[reason] ?? 0,
    requestId: submissionId,
  });
  if (reason === ErrorReason.KICKED || reason === ErrorReason.BANNED) room.remove(client, reason);
}
