/** A stack, a session and its players, and what every test asks of them. */
import { openDoor } from "@fanfare/cli/door";
import type { Verdict } from "@fanfare/cli/player/pending-answers";
import { PlayerSocket } from "@fanfare/cli/player/player-socket";
import { type Stack, type StackOptions, startStack } from "@fanfare/cli/stack/start-stack";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import type { Question } from "@fanfare/proto/gateway/v1/frames";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase, type SessionOptions } from "@fanfare/proto/quiz/v1/session";
import { QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";

export interface Stage extends AsyncDisposable {
  stack: Stack;
  quiz: ReturnType<typeof openDoor<typeof QuizService>>;
  leaderboard: ReturnType<typeof openDoor<typeof LeaderboardService>>;
  bank: ReturnType<typeof openDoor<typeof QuizMasterService>>;
}

export async function startStage(options: StackOptions = {}): Promise<Stage> {
  // Nobody measures here how soon a crowd is served: a stack that does not rehearse is there sooner.
  const env = { ...options.env, all: { WARM_UP_MS: "0", ...options.env?.all } };
  const stack = await startStack({ ...options, env });
  const { gatewayUrls, adminToken } = stack;
  return {
    stack,
    quiz: openDoor(QuizService, gatewayUrls, adminToken),
    leaderboard: openDoor(LeaderboardService, gatewayUrls, adminToken),
    bank: openDoor(QuizMasterService, gatewayUrls, adminToken),
    [Symbol.asyncDispose]: () => stack.stop(),
  };
}

/** Questions whose right option is "right <n>". */
export function numberedQuestions(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    type: QuestionType.SINGLE_CHOICE,
    question: `Question ${i + 1}?`,
    options: [`right ${i + 1}`, `wrong ${i + 1}`, `no ${i + 1}`, `never ${i + 1}`],
    answer: [`right ${i + 1}`],
  }));
}

/**
 * A session of numbered questions, host-paced with half a minute each unless said otherwise; rounds are
 * closed by hand.
 */
export async function openSession(
  stage: Stage,
  sessionId: string,
  rounds: number,
  options: Partial<Omit<SessionOptions, "$typeName" | "$unknown">> = {},
) {
  const { session, hostToken } = await stage.quiz.createSession({
    sessionId,
    source: { case: "quiz", value: { title: "Numbers", questions: numberedQuestions(rounds) } },
    options: { roundSeconds: 30, closeWhenAllAnswered: false, ...options },
  });
  if (!session) throw new Error("no session came back");
  return { session, hostToken, pin: session.pin };
}

/** Players p0, p1, … spread over the gateways, joined some at a time. */
export async function joinPlayers(
  stage: Stage,
  sessionId: string,
  count: number,
  from = 0,
): Promise<PlayerSocket[]> {
  const { gatewayUrls } = stage.stack;
  const join = (i: number) =>
    PlayerSocket.join({ urls: rotated(gatewayUrls, i), sessionId, nickname: `p${i}` });
  const players: PlayerSocket[] = [];
  for (let at = from; at < from + count; at += 50) {
    const some = Array.from({ length: Math.min(50, from + count - at) }, (_, k) => join(at + k));
    players.push(...(await Promise.all(some)));
  }
  return players;
}

export function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/** The frame of a round with its options. */
export function opened(player: PlayerSocket, round: number): Promise<Question> {
  return player.until(
    "question",
    (frame) => frame.round === round && (frame.question?.options.length ?? 0) > 0,
    20_000,
  );
}

/** The letter of the option with this text. */
export function choiceOf(question: Question, text: string): string {
  const option = question.question?.options.find((each) => each.text === text);
  if (!option) throw new Error(`round ${question.round} has no option "${text}"`);
  return option.choice;
}

/** What was acknowledged: submission id by player and round. */
export class Book {
  readonly accepted = new Map<string, string>();

  /** Answers once it is asked, and notes what became of it. */
  async play(player: PlayerSocket, round: number, right: boolean): Promise<Verdict> {
    const question = await opened(player, round);
    const submissionId = `${player.playerId}-${round}-${Math.random().toString(36).slice(2)}`;
    const choices = [choiceOf(question, right ? `right ${round}` : `wrong ${round}`)];
    const verdict = await player.answer(round, choices, { submissionId });
    if (verdict.kind === "accepted") this.accepted.set(`${round} ${player.playerId}`, submissionId);
    return verdict;
  }
}

/** Closes the open round and waits for its reveal. */
export async function closeRound(stage: Stage, sessionId: string, round: number): Promise<void> {
  await stage.quiz.nextRound({ sessionId, expectedPhase: Phase.OPEN, expectedRound: round });
  await until(async () => {
    const { session } = await stage.quiz.getSession({ sessionId });
    return session?.round === round && session.phase === Phase.REVEAL;
  });
}

export function nextRound(stage: Stage, sessionId: string, round: number) {
  return stage.quiz.nextRound({ sessionId, expectedPhase: Phase.REVEAL, expectedRound: round });
}

/** Polls until `check` gives a value that is not undefined or false; a throw counts as not yet. */
export async function until<T>(
  check: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = 15_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end)
      throw new Error(`not within ${limitMs} ms: ${String(last)}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
