/** Sessions for the bench, made and led over the gateway's JSON door as a host's script would. */
import { type Door, openDoor } from "@fanfare/cli/door";
import type { Stack } from "@fanfare/cli/stack/start-stack";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import type { Phase } from "@fanfare/proto/quiz/v1/session";
import { holdsWithin } from "./numbers.js";

export type Quiz = Door<typeof QuizService>;

const PHASE_LIMIT_MS = 10_000;
const ROUND_SECONDS = 120;

export const openQuiz = (stack: Stack): Quiz =>
  openDoor(QuizService, stack.gatewayUrls, stack.adminToken);

export const gatewayOf = (stack: Stack) => stack.gatewayUrls[0] ?? "";

/** A lobby that waits for its host. */
export async function createSession(
  quiz: Quiz,
  sessionId: string,
  rounds: number,
  options: { playersMax?: number } = {},
): Promise<void> {
  const questions = Array.from({ length: rounds }, (_, i) => ({
    type: QuestionType.SINGLE_CHOICE,
    question: `Question ${i + 1} of ${sessionId}?`,
    options: ["right", "wrong", "no", "never"],
    answer: ["right"],
  }));
  await quiz.createSession({
    sessionId,
    source: { case: "quiz", value: { title: "Bench", questions } },
    options: { roundSeconds: ROUND_SECONDS, closeWhenAllAnswered: false, ...options },
  });
}

/** A player's first frame, for a crowd to number. */
export const joinHello = (sessionId: string) =>
  JSON.stringify({
    hello: {
      protocolVersion: 1,
      join: { sessionId, nickname: "p%i", submissionId: "j%i" },
    },
  });

export const JOINED = '"joined"';

/** Resolves once the session is there; throws after 10 s. */
export async function untilPhase(
  quiz: Quiz,
  sessionId: string,
  phase: Phase,
  round: number,
): Promise<void> {
  const isThere = async () => {
    const { session } = await quiz.getSession({ sessionId });
    return session?.phase === phase && session.round === round;
  };
  if (!(await holdsWithin(PHASE_LIMIT_MS, isThere, 20)))
    throw new Error(`${sessionId} did not come to phase ${phase} of round ${round}`);
}
