/** The commands of a host: each reads the clock, asks the state machine, stores what it says. */
import { invalidField } from "@fanfare/common/errors";
import type {
  ExtendRoundRequest,
  LockSessionRequest,
  NextRoundRequest,
  SkipRoundRequest,
} from "@fanfare/proto/quiz/v1/quiz_service";
import { type FrozenQuiz, Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import * as rules from "../domain/session.js";
import { type QuizContext, requireSession } from "./context.js";

type Change = (session: Session, quiz: FrozenQuiz, now: number) => rules.Outcome;

async function command(context: QuizContext, sessionId: string, change: Change) {
  await requireSession(context, sessionId);
  const session = await context.store.update(sessionId, (stored, quiz) =>
    change(stored, quiz, context.clock.now()),
  );
  return { session };
}

type Named = { sessionId: string };

export const startSession = (context: QuizContext, request: Named) =>
  command(context, request.sessionId, rules.start);

export const nextRound = (context: QuizContext, request: NextRoundRequest) => {
  const expected =
    request.expectedPhase === Phase.UNSPECIFIED
      ? undefined
      : { phase: request.expectedPhase, round: request.expectedRound };
  return command(context, request.sessionId, (session, quiz, now) =>
    rules.next(session, quiz, now, expected),
  );
};

export const pauseSession = (context: QuizContext, request: Named) =>
  command(context, request.sessionId, (session, _, now) => rules.pauseClock(session, now));

export const continueSession = (context: QuizContext, request: Named) =>
  command(context, request.sessionId, (session, _, now) => rules.continueClock(session, now));

export const extendRound = async (context: QuizContext, request: ExtendRoundRequest) => {
  const { seconds, expectedTimeLimitMs } = request;
  if (seconds < 1 || seconds > 240) throw invalidField("seconds", "1..240");
  return command(context, request.sessionId, (session) =>
    rules.extend(session, seconds, expectedTimeLimitMs),
  );
};

export const skipRound = (context: QuizContext, request: SkipRoundRequest) =>
  command(context, request.sessionId, (session, quiz, now) =>
    rules.skip(session, quiz, now, request.expectedRound),
  );

export const endSession = async (context: QuizContext, request: Named) =>
  command(context, request.sessionId, (session, _, now) => rules.end(session, now));

export const lockSession = (context: QuizContext, request: LockSessionRequest) =>
  command(context, request.sessionId, (session) => rules.lock(session, request.locked));
