/** FindAnswers: what the log holds of players' answers to a round, read after the question was asked. */
import { invalidField, ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { FindAnswersRequest, StoredAnswer } from "@fanfare/proto/quiz/v1/quiz_service";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import type { AnswerLane, SessionLog } from "../domain/ports.js";
import { isOver } from "../domain/session.js";
import { type QuizContext, requireSession } from "./context.js";

const PLAYER_IDS_MAX = 1_000;

export async function findAnswers(context: QuizContext, request: FindAnswersRequest) {
  const { sessionId, round, playerIds } = request;
  if (playerIds.length < 1 || playerIds.length > PLAYER_IDS_MAX)
    throw invalidField("player_ids", `1..${PLAYER_IDS_MAX} entries`);
  const session = await sessionAt(context, sessionId, round);
  if (round < 1 || round > session.round) throw invalidField("round", "1 to the current one");
  const found = await readAnswers(session, context.logs.of(session), round, playerIds);
  const places: number[] = [];
  const answers: FoundAnswer[] = [];
  for (const [place, { answer }] of found.entries()) {
    if (!answer) continue;
    places.push(place);
    answers.push(answer);
  }
  return { places, answers, final: found.every((each) => each.final) };
}

/** The session, as far as this round at least: this pod may not have heard of it yet. */
export async function sessionAt(
  context: QuizContext,
  sessionId: string,
  round: number,
): Promise<Session> {
  const { session } = await requireSession(context, sessionId);
  if (round <= session.round) return session;
  return (await context.store.read(sessionId))?.session ?? session;
}

/** In the order of the ids; final where the lane is closed. Throws SLOW_DOWN, UNAVAILABLE. */
export async function readAnswers(
  session: Session,
  log: SessionLog,
  round: number,
  playerIds: readonly string[],
): Promise<{ answer: FoundAnswer | undefined; final: boolean }[]> {
  const numbers = [...new Set(playerIds.map((id) => log.laneOf(id)))];
  const lanes = new Map<number, AnswerLane>();
  await Promise.all(
    numbers.map(async (number) => {
      const lane = await laneOfRound(session, log, { round, lane: number });
      if (!lane)
        throw new ServiceError(ErrorReason.SLOW_DOWN, "too many ask for rounds that are over", {
          metadata: { limit: "PAST_LANES_PER_SECOND_MAX" },
          retryAfterMs: 1_000,
        });
      if (!lane.closed) await lane.refresh();
      lanes.set(number, lane);
    }),
  );
  return playerIds.map((id) => {
    const lane = lanes.get(log.laneOf(id));
    return { answer: lane && found(round, lane, id), final: lane?.closed ?? false };
  });
}

type FoundAnswer = Omit<StoredAnswer, "$typeName">;

function found(round: number, lane: AnswerLane, playerId: string): FoundAnswer | undefined {
  const answer = lane.find(playerId);
  if (!answer) return undefined;
  const { choices, submissionId, points, correct, streak } = answer;
  const position = BigInt(lane.positionOf(playerId));
  return { round, choices, submissionId, points, correct, streak, position };
}

/** A lane of the session; undefined where too many rounds of before are asked for. */
export async function laneOfRound(
  session: Session,
  log: SessionLog,
  { round, lane }: { round: number; lane: number },
): Promise<AnswerLane | undefined> {
  const isKept = round === session.round || round === session.previousRound;
  return isKept && !isOver(session) ? log.answerLane(round, lane) : log.pastLane(round, lane);
}
