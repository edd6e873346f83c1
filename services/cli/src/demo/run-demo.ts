/**
 * The demo session: plays itself, and when it is over it is played again, for as long as somebody
 * wants it. Whatever goes wrong is told and tried again; it never ends by itself.
 */
import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ServiceError } from "@fanfare/common/errors";
import { pause } from "@fanfare/common/lifecycle";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Pacing, Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import { type Door, openDoor } from "../door.js";
import type { PlayerSocket } from "../player/player-socket.js";
import { DEMO_QUIZ, DEMO_QUIZ_ID } from "../up/demo-quiz.js";
import { BOTS, joinBot } from "./bots.js";

export const DEMO_SESSION = "demo";

export interface DemoOptions {
  urls: readonly string[];
  /** Role admin. */
  token: string;
  signal: AbortSignal;
  tell(line: string): void;
}

/** Time for people to join before the first question. */
const LOBBY_MS = 20_000;
/** How long the podium stays. */
const PODIUM_MS = 20_000;
const READING_SECONDS = 3;
const ROUND_SECONDS = 15;
const REVEAL_SECONDS = 6;
/** A game that is not over by then was paused and left: a new one begins. */
const GAME_LIMIT_MS = 20 * 60_000;
const POLL_MS = 2_000;
const AFTER_FAULT_MS = 5_000;

export async function runDemo(options: DemoOptions): Promise<void> {
  const quizzes = openDoor(QuizService, options.urls, options.token);
  while (!options.signal.aborted) {
    try {
      const session = await openGame(quizzes);
      options.tell(`game begins, PIN ${session.pin}`);
      await playGame(quizzes, session, options);
      await pause(PODIUM_MS, options.signal);
    } catch (error) {
      options.tell(`tries again: ${error instanceof Error ? error.message : String(error)}`);
      await pause(AFTER_FAULT_MS, options.signal);
    }
  }
}

/** The game that is played now, or a new one. */
async function openGame(quizzes: Door<typeof QuizService>): Promise<Session> {
  const running = await findGame(quizzes);
  if (running && isFresh(running)) return running;
  if (running) await quizzes.endSession({ sessionId: DEMO_SESSION });
  const { session } = await quizzes.createSession({
    sessionId: DEMO_SESSION,
    replaceEnded: true,
    source: { case: "quizId", value: DEMO_QUIZ_ID },
    options: {
      pacing: Pacing.AUTO,
      readingSeconds: READING_SECONDS,
      roundSeconds: ROUND_SECONDS,
      revealSeconds: REVEAL_SECONDS,
      startsAt: timestampFromMs(Date.now() + LOBBY_MS),
    },
  });
  if (!session) throw new Error("no session was made");
  return session;
}

async function findGame(quizzes: Door<typeof QuizService>): Promise<Session | undefined> {
  try {
    const { session } = await quizzes.getSession({ sessionId: DEMO_SESSION });
    return session?.phase === Phase.ENDED ? undefined : session;
  } catch (error) {
    const isNone = error instanceof ServiceError && error.reason === ErrorReason.SESSION_NOT_FOUND;
    if (isNone) return undefined;
    throw error;
  }
}

function isFresh({ createdAt }: Session): boolean {
  return createdAt !== undefined && Date.now() - startOf(createdAt) < GAME_LIMIT_MS;
}

function startOf(createdAt: NonNullable<Session["createdAt"]>): number {
  return timestampDate(createdAt).getTime();
}

async function playGame(
  quizzes: Door<typeof QuizService>,
  session: Session,
  { urls, signal }: DemoOptions,
): Promise<void> {
  const at = {
    urls,
    sessionId: session.sessionId,
    game: `demo-${session.createdAt ? startOf(session.createdAt) : 0}`,
  };
  const bots: PlayerSocket[] = [];
  try {
    for (const bot of BOTS) bots.push(await joinBot(bot, at, DEMO_QUIZ.questions));
    for (let now: Session | undefined = session; now && isFresh(now); ) {
      await pause(POLL_MS, signal);
      if (signal.aborted) return;
      now = await findGame(quizzes);
    }
  } finally {
    for (const bot of bots) bot.close();
  }
}
