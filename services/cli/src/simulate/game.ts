/**
 * Plays one planned session as its host and all its players, over the same doors and sockets that
 * people use, and keeps the players' own book of it.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  AnswerState,
  type OwnResult,
  type Question as QuestionFrame,
} from "@fanfare/proto/gateway/v1/frames";
import type { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Pacing, Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import type { Door } from "../door.js";
import type { LivescoreSocket } from "../player/livescore-socket.js";
import { PlayerSocket } from "../player/player-socket.js";
import { untilDone } from "../retry.js";
import { Book } from "./book.js";
import { Comebacks } from "./comebacks.js";
import { choicesFor, type GamePlan } from "./plan.js";
import type { Asked } from "./questions.js";

export interface GameOptions {
  sessionId: string;
  urls: readonly string[];
  players: number;
  /** From the beginning of one round to that of the next. */
  everyMs: number;
  asked: Asked;
  plan: GamePlan;
  board: LivescoreSocket;
  onRound(report: RoundReport): void;
}

export interface RoundReport {
  round: number;
  rounds: number;
  question: string;
  /** Answers that players sent, and those that were acknowledged. */
  sent: number;
  accepted: number;
  leader: string;
  p50Ms: number;
  p99Ms: number;
}

const JOINS_AT_ONCE = 100;
/** The part of a round in which answers are taken; the rest shows who was right. */
const OPEN_PART = 0.9;
/** Time that a round has beyond its planned end: the host closes it, not the clock. */
const SPARE_SECONDS = 5;
const ROUND_SECONDS_MIN = 5;
const ROUND_SECONDS_MAX = 240;
/** How long a player's own result of a round is waited for. */
const RESULT_LIMIT_MS = 5_000;
/** How long closing a round may take, faults included. */
const PHASE_LIMIT_MS = 60_000;
const POLL_MS = 50;

/** Makes the session. Refused with SESSION_EXISTS while one of this id is played. */
export async function createGame(
  quizzes: Door<typeof QuizService>,
  { sessionId, everyMs, asked, players }: GameOptions,
): Promise<void> {
  const wanted = Math.ceil(everyMs / 1_000) + SPARE_SECONDS;
  const seconds = Math.min(ROUND_SECONDS_MAX, Math.max(ROUND_SECONDS_MIN, wanted));
  const questions = asked.questions.map((question) => ({ ...question, seconds }));
  await quizzes.createSession({
    sessionId,
    replaceEnded: true,
    source: { case: "quiz", value: { title: asked.title, questions } },
    options: {
      pacing: Pacing.HOST,
      liveBoard: true,
      boardSize: 10,
      playersMax: players,
      closeWhenAllAnswered: false,
    },
  });
}

/** Plays it to its end. */
export async function playGame(
  quizzes: Door<typeof QuizService>,
  options: GameOptions,
): Promise<{ book: Book; comebacks: Comebacks }> {
  const { sessionId, everyMs, asked } = options;
  const book = new Book();
  const comebacks = new Comebacks();
  const players = await joinAll(options, book, comebacks);
  try {
    await untilDone(() => quizzes.startSession({ sessionId }));
    for (let round = 1; round <= asked.questions.length; round++) {
      const opened = performance.now();
      await delay(OPEN_PART * everyMs);
      await next(quizzes, sessionId, Phase.OPEN, round);
      await untilPhase(quizzes, sessionId, Phase.REVEAL, round);
      await untilResults(players, round, book);
      options.onRound(reportOf(options, book, round));
      await delay(Math.max(0, opened + everyMs - performance.now()));
      await next(quizzes, sessionId, Phase.REVEAL, round);
    }
    await untilPhase(quizzes, sessionId, Phase.ENDED, asked.questions.length);
    for (const { verdicts } of players) await Promise.all(verdicts);
    return { book, comebacks };
  } finally {
    for (const { socket } of players) socket.close();
  }
}

interface SimulatedPlayer {
  socket: PlayerSocket;
  /** One for each answer that was sent. */
  verdicts: Promise<void>[];
}

async function joinAll(
  options: GameOptions,
  book: Book,
  comebacks: Comebacks,
): Promise<SimulatedPlayer[]> {
  const players: SimulatedPlayer[] = [];
  for (let first = 0; first < options.players; first += JOINS_AT_ONCE) {
    const count = Math.min(JOINS_AT_ONCE, options.players - first);
    const numbers = Array.from({ length: count }, (_, index) => first + index);
    const joins = numbers.map((number) => joinOne(options, book, comebacks, number));
    players.push(...(await Promise.all(joins)));
  }
  return players;
}

async function joinOne(
  options: GameOptions,
  book: Book,
  comebacks: Comebacks,
  number: number,
): Promise<SimulatedPlayer> {
  const { urls, sessionId, plan, everyMs } = options;
  const nickname = `player${number}`;
  const turn = number % urls.length;
  const player: SimulatedPlayer = {
    socket: await PlayerSocket.join({
      urls: [...urls.slice(turn), ...urls.slice(0, turn)],
      sessionId,
      nickname,
      onReturn: (awayMs) => comebacks.add(performance.now(), awayMs),
    }),
    verdicts: [],
  };
  const begun = new Set<number>();
  const answer = async ({ round, question }: QuestionFrame) => {
    const planned = plan[round - 1]?.[number];
    // Comes again after a reconnect, and first without options where there is a reading phase.
    if (!planned || !question?.options.length || begun.has(round)) return;
    begun.add(round);
    await delay(planned.after * everyMs);
    book.sent(round, nickname);
    const verdict = await player.socket.answer(round, choicesFor(planned.texts, question));
    book.answered(round, nickname, verdict);
  };
  player.socket.on("question", (frame) => player.verdicts.push(answer(frame)));
  player.socket.on("ownResult", (frame) => book.result(nickname, frame));
  return player;
}

/** Moves on from what the host sees; done twice it does nothing twice. */
function next(quizzes: Door<typeof QuizService>, sessionId: string, phase: Phase, round: number) {
  return untilDone(() =>
    quizzes.nextRound({ sessionId, expectedPhase: phase, expectedRound: round }),
  );
}

async function untilPhase(
  quizzes: Door<typeof QuizService>,
  sessionId: string,
  phase: Phase,
  round: number,
): Promise<void> {
  const isThere = (session: Session | undefined) =>
    session !== undefined &&
    (session.round > round || (session.round === round && session.phase >= phase));
  const deadline = performance.now() + PHASE_LIMIT_MS;
  for (;;) {
    const { session } = await untilDone(() => quizzes.getSession({ sessionId }));
    if (isThere(session)) return;
    if (performance.now() > deadline)
      throw new Error(`round ${round} is still in ${Phase[session?.phase ?? 0]}`);
    await delay(POLL_MS);
  }
}

/** Waits until each player who is there has heard what the round brought, or a limit. */
async function untilResults(
  players: readonly SimulatedPlayer[],
  round: number,
  book: Book,
): Promise<void> {
  const acknowledged = players.filter(
    ({ socket }) => book.entry(round, socket.nickname)?.verdict === "accepted",
  );
  await Promise.all(
    acknowledged.map(({ socket }) =>
      socket
        .until("ownResult", (result) => isTold(result, round), RESULT_LIMIT_MS)
        // Without it the book knows that the answer counts, only not what it brought.
        .catch(() => {}),
    ),
  );
}

/** A result that is not known yet is told again. */
function isTold(result: OwnResult, round: number): boolean {
  return result.round >= round && result.answerState !== AnswerState.PENDING;
}

function reportOf({ asked, board }: GameOptions, book: Book, round: number): RoundReport {
  const leader = board.rows?.[0];
  return {
    round,
    rounds: asked.questions.length,
    question: asked.questions[round - 1]?.question ?? "",
    sent: book.sentIn(round),
    accepted: book.acceptedIn(round),
    leader: leader ? `${leader.PlayerID} ${leader.Score}` : "-",
    p50Ms: book.ackMs(round, 50),
    p99Ms: book.ackMs(round, 99),
  };
}
