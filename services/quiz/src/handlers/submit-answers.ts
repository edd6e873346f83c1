/** SubmitAnswers: check each answer against its open round, score it, append it to its lane. */
import { create } from "@bufbuild/protobuf";
import { invalidField, ServiceError, toServiceError, unavailable } from "@fanfare/common/errors";
import type { CallContext } from "@fanfare/common/grpc-server";
import { within } from "@fanfare/common/lifecycle";
import { isToken } from "@fanfare/proto/addresses";
import {
  type Answer,
  type AnswerVerdict,
  fromAnswerColumns,
  NO_TIME_MS,
  toVerdictColumns,
} from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { ScoredAnswer } from "@fanfare/proto/events/v1/events";
import type { LaneAnswers, SubmitAnswersRequest } from "@fanfare/proto/quiz/v1/quiz_service";
import {
  type FrozenQuestion,
  Phase,
  type Session,
  SessionOptionsSchema,
} from "@fanfare/proto/quiz/v1/session";
import type { AnswerVerdict as LaneVerdict } from "../domain/answer-fold.js";
import type { AnswerLane } from "../domain/ports.js";
import { rulesOf } from "../domain/question-types/index.js";
import { awardPoints } from "../domain/scoring.js";
import { isOver } from "../domain/session.js";
import { type QuizContext, requireSession } from "./context.js";
import { laneOfRound } from "./find-answers.js";
import { refusalOf } from "./players.js";

/** Answers that one call may bring, in all its lanes. */
const ANSWERS_MAX = 1_000;
/** A lane that is read cold, or fought over, keeps those that it travels with waiting no longer than this. */
const LANE_WITHIN_MS = 1_700;

export async function submitAnswers(
  context: QuizContext,
  { lanes }: SubmitAnswersRequest,
  call: Pick<CallContext, "span" | "logFault"> = {},
) {
  const count = lanes.reduce((total, { playerIds }) => total + playerIds.length, 0);
  if (lanes.length < 1 || lanes.length > ANSWERS_MAX || count > ANSWERS_MAX)
    throw invalidField("lanes", `1..${ANSWERS_MAX}, with as many answers in all`);
  const outcomes = await Promise.all(
    lanes.map(async (lane) => {
      const { span } = lane.traced ? call : {};
      const work = submitToLane(context, lane, { span }).catch(toServiceError);
      return await within(LANE_WITHIN_MS, work).catch((cause) => unavailable("a lane", cause));
    }),
  );
  const failures = outcomes.filter((each) => each instanceof ServiceError);
  if (failures.length === lanes.length) {
    // A caller that finds nothing done asks another pod.
    const away = failures.find(({ reason }) => reason === ErrorReason.UNAVAILABLE);
    throw away ?? failures[0];
  }
  for (const failure of failures) call.logFault?.(failure);
  return {
    lanes: outcomes.map((each) =>
      each instanceof ServiceError ? { failed: each.reason, message: each.message } : each,
    ),
  };
}

/** The same for one lane; throws what the lane's failure is. */
export async function submitToLane(
  context: QuizContext,
  request: LaneAnswers,
  { span }: Pick<CallContext, "span"> = {},
) {
  const answers = answersOf(request);
  const session = await sessionInRound(context, request);
  const log = context.logs.of(session);
  if (request.round < 1 || request.round > session.round || request.lane >= log.lanes)
    return refuseAll(context, answers, ErrorReason.ROUND_NOT_OPEN);
  const quiz = await context.store.frozenQuiz(session);
  const question = quiz.questions[request.round - 1];
  if (!question) throw invalidField("round", "a round of the session");
  const players = await log.findPlayers(request.playerIds);
  const isOpen = request.round === session.round && session.phase === Phase.OPEN;
  const lane = await laneOfRound(session, log, request);
  if (!lane) return refuseAll(context, answers, ErrorReason.SLOW_DOWN);
  // A round that is over takes nothing new, but a first verdict is given again. Before the close is in
  // the lane, an answer that was sent through another pod could still be stored after our "no" (P3).
  if (request.round === session.round && session.phase === Phase.CLOSING) await lane.close();
  else if (!isOpen || session.paused || answers.some((each) => isLate(each, session)))
    await lane.refresh();
  const streak = isOpen ? await log.streaksAfter(session.previousRound, request.lane) : () => 0;
  const verdicts: AnswerVerdict[] = new Array(answers.length);
  const scored: ScoredAnswer[] = [];
  const places: number[] = [];
  let duplicates = 0;
  for (const [index, answer] of answers.entries()) {
    const { playerId } = answer;
    if (log.laneOf(playerId) !== request.lane) throw invalidField("lane", "the players' lane");
    const player = players[index];
    const known = lane.find(playerId);
    const refused = player
      ? (refusalOf(player.status) ??
        (isOpen ? refusal(answer, session, question) : refusalAfter(session, request.round, lane)))
      : ErrorReason.PLAYER_NOT_FOUND;
    if (player && known) {
      duplicates++;
      verdicts[index] = againVerdict(known, answer);
    } else if (refused) verdicts[index] = no(refused);
    else {
      places.push(index);
      scored.push(score(answer, session, question, streak(playerId)));
    }
  }
  for (const [i, verdict] of (await lane.submit(scored, span)).entries()) {
    // The player's first answer was on its way.
    if (verdict.kind === "accepted" ? verdict.answer !== scored[i] : verdict.kind !== "closed")
      duplicates++;
    verdicts[places[i] ?? -1] = toVerdict(verdict);
  }
  context.metrics.answersDecided(verdicts, { duplicates });
  return toVerdictColumns(verdicts);
}

function answersOf(request: LaneAnswers): Answer[] {
  if (request.playerIds.length < 1) throw invalidField("player_ids", "one entry or more");
  const answers = fromAnswerColumns(request);
  if (typeof answers !== "string") return answers;
  throw invalidField(answers, "one for each of player_ids, and chosen a place in choice_lists");
}

/** The session as this pod knows it; asked of the store where the round is not the one known. */
async function sessionInRound(context: QuizContext, request: LaneAnswers): Promise<Session> {
  const { session } = await requireSession(context, request.sessionId);
  const matches =
    session.round === request.round && session.phase === Phase.OPEN && !session.paused;
  if (matches && !request.elapsedMs.includes(NO_TIME_MS)) return session;
  return (await context.store.read(request.sessionId))?.session ?? session;
}

function isLate({ elapsedMs }: Answer, { timeLimitMs, answerGraceMs }: Session): boolean {
  return elapsedMs > timeLimitMs + answerGraceMs;
}

/** Why an answer that the lane does not hold is refused, where the round is not open. */
function refusalAfter(session: Session, round: number, lane: AnswerLane): ErrorReason {
  if (round === session.round && session.phase === Phase.READING) return ErrorReason.ROUND_NOT_OPEN;
  // Not closed: a question that was skipped before it opened, or a log that is purged, where nobody can
  // say what it held.
  return lane.closed || !isOver(session) ? ErrorReason.ROUND_CLOSED : ErrorReason.SESSION_ENDED;
}

function refusal(
  answer: Answer,
  session: Session,
  question: FrozenQuestion,
): ErrorReason | undefined {
  // Not "no": a pause closes no lane, nor does the end of the time, and what was sent before, through
  // another pod, may be on its way and be stored.
  if (session.paused || isLate(answer, session)) return ErrorReason.UNAVAILABLE;
  if (!isToken(answer.submissionId)) return ErrorReason.INVALID_FIELD;
  const type = question.question?.type;
  const rules = type === undefined ? undefined : rulesOf(type);
  if (!rules?.check(question, answer.choices)) return ErrorReason.CHOICE_INVALID;
  return undefined;
}

function score(
  answer: Answer,
  session: Session,
  question: FrozenQuestion,
  streakBefore: number,
): ScoredAnswer {
  const rules = question.question && rulesOf(question.question.type);
  const correct = rules?.isCorrect(question, answer.choices) ?? false;
  const elapsedMs = Math.min(answer.elapsedMs, session.timeLimitMs);
  const { points, streak } = awardPoints(
    {
      correct,
      elapsedMs,
      timeLimitMs: session.timeLimitMs,
      points: question.question?.points ?? 0,
      penalty: question.penalty,
      streakBefore,
    },
    session.options ?? create(SessionOptionsSchema),
  );
  const { playerId, submissionId, choices } = answer;
  // As create() makes it, which would cost more than the scoring.
  const $typeName = "events.v1.ScoredAnswer";
  return { $typeName, playerId, submissionId, choices, points, correct, elapsedMs, streak };
}

/** What the first answer got, for the same answer sent again; a refusal for another one. */
function againVerdict(first: ScoredAnswer, answer: Answer): AnswerVerdict {
  return first.submissionId === answer.submissionId
    ? toVerdict({ kind: "accepted", answer: first })
    : toVerdict({ kind: "alreadyAnswered" });
}

function toVerdict(verdict: LaneVerdict): AnswerVerdict {
  if (verdict.kind === "accepted") {
    const { points, correct, streak } = verdict.answer;
    return { refused: ErrorReason.UNSPECIFIED, points, correct, streak };
  }
  if (verdict.kind === "alreadyAnswered") return no(ErrorReason.ALREADY_ANSWERED);
  return no(ErrorReason.ROUND_CLOSED);
}

function no(refused: ErrorReason): AnswerVerdict {
  return { refused, points: 0, correct: false, streak: 0 };
}

function refuseAll(context: QuizContext, answers: readonly Answer[], refused: ErrorReason) {
  const verdicts = answers.map(() => no(refused));
  context.metrics.answersDecided(verdicts, { duplicates: 0 });
  return toVerdictColumns(verdicts);
}
