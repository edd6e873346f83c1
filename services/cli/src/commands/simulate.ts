/** `fanfare simulate`: plays a session with real sockets, and checks that all accounts of it agree. */
import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "@fanfare/common/config";
import { ServiceError } from "@fanfare/common/errors";
import { createClient } from "@fanfare/common/grpc-client";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { type HistoryRow, QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { type Door, openDoor } from "../door.js";
import { numberFlag, readFlags, tokenFlag, wholeFlag } from "../flags.js";
import type { Env } from "../home.js";
import { findInstallation, type Installation } from "../installation.js";
import { readHistory } from "../ledgers/read-history.js";
import { LivescoreSocket } from "../player/livescore-socket.js";
import { runReplay } from "../replay/run-replay.js";
import { untilDone } from "../retry.js";
import { compareBoard, compareHistory } from "../simulate/audit.js";
import type { Book } from "../simulate/book.js";
import { createGame, type GameOptions, playGame } from "../simulate/game.js";
import { planGame } from "../simulate/plan.js";
import { drawQuestions, importQuestions } from "../simulate/questions.js";
import { comebackLine, finalTable, roundLine } from "../simulate/report.js";

export const usage = `fanfare simulate -name ID -rounds N -players N [flags]
       fanfare simulate -from RECORD [-speed N] [flags]

Plays a session with real sockets and real questions, and exits with 1 unless the board, PostgreSQL
and the players' own book of acknowledged answers agree.

  -name ID       id of the session; one that has ended is played anew
  -rounds N      how many questions, 1 to 500
  -players N     player0, player1, …: 1 to 10000
  -every S       seconds from round to round (5)
  -seed N        repeats a game: same questions, same choices, same reaction times
  -wait S        seconds that the services may take until they can be reached (0)
  -quiz FILE     plays the questions of a JSON file, which is imported into the bank
  -url URL       gateways, comma-separated (the running make up, else http://localhost:8000)
  -grpc ADDRESS  quiz service (the running make up, else 127.0.0.1:9001)
  -token TOKEN   admin token (FANFARE_TOKEN, else that of make up here)

With -from it plays a record (fanfare record) again: the same players with the same answers in the same
times, N times as fast, and exits with 1 unless the final board is the recorded one. It speaks in the
gateways' place, so it needs the secret that signs tokens: TOKEN_SECRET, else that of make up here.

  -from RECORD   the file
  -speed N       how many times as fast, 1 to 100 (1)
  -name ID       id of the new session (the recorded one's with -replay)
  -nats URL      to publish scores that came from outside (NATS_URL, else the running make up)

Where the services speak mTLS, give GRPC_CERT_FILE, GRPC_KEY_FILE and GRPC_CA_FILE as they have them.`;

const SEED_MAX = 0xffffffff;
const shape = {
  name: tokenFlag,
  rounds: wholeFlag(1, 500),
  players: wholeFlag(1, 10_000),
  every: numberFlag(0.5, 230).default(5),
  seed: wholeFlag(1, SEED_MAX).optional(),
  wait: numberFlag(0, 600).default(0),
  quiz: z.string().optional(),
  url: z.string().optional(),
  grpc: z.string().optional(),
  token: z.string().optional(),
};

/** Rows that the board's socket gives at most. */
const BOARD_ROWS_MAX = 1_000;
const HISTORY_LIMIT_MS = 30_000;
const BOARD_LIMIT_MS = 10_000;
const POLL_MS = 250;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** Exit code after Ctrl-C. */
const INTERRUPTED = 130;

export async function run(args: readonly string[], env: Env): Promise<number> {
  if (args.some((arg) => /^--?from(=|$)/.test(arg))) return runReplay(args, env);
  const flags = readFlags(args, shape);
  const installation = await findInstallation(env, flags);
  const { urls, token } = installation;
  const bank = openDoor(QuizMasterService, urls, token);
  const quizzes = openDoor(QuizService, urls, token);
  if (flags.wait > 0) await untilReachable(quizzes, bank, flags.wait * 1_000);
  const seed = flags.seed ?? randomInt(1, SEED_MAX);
  const asked = flags.quiz
    ? await importQuestions(bank, flags.quiz, flags.rounds, console.error)
    : await drawQuestions(bank, flags.rounds, seed);
  const board = new LivescoreSocket({ urls, sessionId: flags.name, limit: BOARD_ROWS_MAX });
  try {
    const options: GameOptions = {
      sessionId: flags.name,
      urls,
      players: flags.players,
      everyMs: flags.every * 1_000,
      asked,
      plan: planGame(seed, asked.questions, flags.players),
      board,
      onRound: (report) => console.log(roundLine(report)),
    };
    await create(quizzes, options);
    console.log(`${flags.name}: ${flags.players} players, ${flags.rounds} rounds, seed ${seed}`);
    console.log(`board: ${urls[0]}/livescore/${flags.name}`);
    const { book, comebacks } = await playToEnd(quizzes, options);
    const line = comebackLine(comebacks);
    if (line) console.log(line);
    return await audit(installation, options, book);
  } finally {
    board.close();
  }
}

/** A gateway that has just come up may not know yet where the other services are. */
async function untilReachable(
  quizzes: Door<typeof QuizService>,
  bank: Door<typeof QuizMasterService>,
  limitMs: number,
): Promise<void> {
  await untilDone(() => quizzes.listSessions({}), limitMs);
  await untilDone(() => bank.listQuizzes({ pageSize: 1 }), limitMs);
}

async function create(quizzes: Door<typeof QuizService>, options: GameOptions): Promise<void> {
  try {
    await createGame(quizzes, options);
  } catch (error) {
    const isTaken = error instanceof ServiceError && error.reason === ErrorReason.SESSION_EXISTS;
    if (!isTaken) throw error;
    const what = `session ${options.sessionId} is being played`;
    const advice = `wait for its end, end it (npx fanfare end -name ${options.sessionId})`;
    throw new Error(`${what}: ${advice}, or take another -name`, { cause: error });
  }
}

/** Whatever stops the game, Ctrl-C too, its session ends: nobody else would end it. */
async function playToEnd(quizzes: Door<typeof QuizService>, options: GameOptions) {
  const { sessionId } = options;
  const end = () => quizzes.endSession({ sessionId }).catch(() => {});
  const interrupt = () => void end().finally(() => process.exit(INTERRUPTED));
  for (const signal of SIGNALS) process.once(signal, interrupt);
  try {
    return await playGame(quizzes, options);
  } catch (error) {
    await end();
    throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

/** Waits until the accounts agree, or as long as they may take; prints table and differences. */
async function audit(
  installation: Installation,
  { sessionId, board }: GameOptions,
  book: Book,
): Promise<number> {
  const { differences: inHistory, rows } = await historyOf(installation, sessionId, book);
  const differencesOf = () => compareBoard(board.rows ?? [], rows, BOARD_ROWS_MAX);
  await board.until(() => differencesOf().length === 0, BOARD_LIMIT_MS);
  console.log(`\n${finalTable(board.rows ?? [])}\n`);
  const differences = [...inHistory, ...differencesOf()];
  if (differences.length === 0) {
    console.log(`board, PostgreSQL and players agree on ${book.acknowledged} answers`);
    return 0;
  }
  for (const difference of differences) console.error(difference);
  console.error(`${differences.length} differences between board, PostgreSQL and players`);
  return 1;
}

async function historyOf(
  { quizAddress, tls, token }: Installation,
  sessionId: string,
  book: Book,
): Promise<{ rows: HistoryRow[]; differences: string[] }> {
  const quiz = createClient(QuizService, quizAddress, () => token, tls && { tls });
  const deadline = performance.now() + HISTORY_LIMIT_MS;
  const isOver = () => performance.now() > deadline;
  try {
    for (;;) {
      try {
        const rows = await readHistory(quiz, sessionId);
        const differences = compareHistory(book, rows);
        if (differences.length === 0 || isOver()) return { rows, differences };
      } catch (error) {
        if (isOver()) throw error;
      }
      await delay(POLL_MS);
    }
  } finally {
    quiz.close();
  }
}
