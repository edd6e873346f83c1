/**
 * (d) The rank of everybody after a round of a giant session: from the host's close to the standings of
 * all players in hand, asked for as ten gateways would, and the longest that Redis was held up by one
 * command meanwhile. Players join and answer over gRPC, as gateways have it.
 */

import { nowMs } from "@fanfare/cli/crowd/clock";
import { cpuSeconds } from "@fanfare/cli/crowd/process-usage";
import { startStack } from "@fanfare/cli/stack/start-stack";
import { textTable } from "@fanfare/cli/text-table";
import { createClient } from "@fanfare/common/grpc-client";
import { ServiceToken, Tokens } from "@fanfare/common/tokens";
import { toAnswerColumns } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { Redis } from "ioredis";
import { forEach, median } from "./numbers.js";
import { createSession, openQuiz, untilPhase } from "./sessions.js";

const SESSION = "ranks";
/** As gateways gather them. */
const BATCH = 500;
const BATCHES_AT_ONCE = 4;
/** As a gateway asks. */
const PLAYERS_PER_CALL = 10_000;
const CALL_LIMIT_MS = 30_000;
/** Commands that took less are not noted. */
const SLOW_FROM_US = 500;
const OPTIONS = ["A", "B", "C", "D"] as const;

export interface RanksResult {
  players: number;
  rounds: RanksRound[];
}

interface RanksRound {
  /** From the host's close until it was in force. */
  closedMs: number;
  /** From the close in force to all standings. */
  ranksMs: number;
  /** CPU of the leaderboard and of Redis from the close on. */
  leaderboardCpuMs: number;
  redisCpuMs: number;
  /** The longest single command, with its name. */
  longestMs: number;
  longest: string;
}

export async function benchRanks(players: number, rounds: number): Promise<RanksResult> {
  await using stack = await startStack();
  const service = new ServiceToken(new Tokens([stack.tokenSecret]), "bench");
  const token = () => service.get();
  const quizzes = openQuiz(stack);
  const quiz = createClient(QuizService, stack.quizUrls[0] ?? "", token);
  const board = createClient(LeaderboardService, stack.leaderboardUrls[0] ?? "", token);
  const redis = new Redis(stack.redisUrl);
  const cpuOf = (pid: number | undefined) => (pid ? cpuSeconds(pid) * 1_000 : 0);
  const cpu = () => ({
    leaderboard: cpuOf(stack.process("leaderboard-1").pid),
    redis: cpuOf(stack.servers.redis.pid),
  });
  const result: RanksResult = { players, rounds: [] };
  try {
    await createSession(quizzes, SESSION, rounds, { playersMax: players });
    const ids = await joinAll(quiz, players);
    await quizzes.startSession({ sessionId: SESSION });
    for (let round = 1; round <= rounds; round++) {
      await untilPhase(quizzes, SESSION, Phase.OPEN, round);
      await answerAll(quiz, ids, round);
      await redis.config("SET", "slowlog-log-slower-than", SLOW_FROM_US);
      await redis.call("SLOWLOG", "RESET");
      const before = cpu();
      const here = { sessionId: SESSION, expectedRound: round };
      const from = nowMs();
      await quizzes.nextRound({ ...here, expectedPhase: Phase.OPEN });
      const closed = nowMs();
      await readAll(board, ids, round);
      const ranksMs = nowMs() - closed;
      const after = cpu();
      result.rounds.push({
        closedMs: closed - from,
        ranksMs,
        leaderboardCpuMs: after.leaderboard - before.leaderboard,
        redisCpuMs: after.redis - before.redis,
        ...(await longestCommand(redis)),
      });
      await untilPhase(quizzes, SESSION, Phase.REVEAL, round);
      if (round < rounds) await quizzes.nextRound({ ...here, expectedPhase: Phase.REVEAL });
    }
  } finally {
    quiz.close();
    board.close();
    redis.disconnect();
  }
  print(result);
  return result;
}

type QuizCalls = ReturnType<typeof createClient<typeof QuizService>>;
type BoardCalls = ReturnType<typeof createClient<typeof LeaderboardService>>;

async function joinAll(quiz: QuizCalls, players: number): Promise<string[]> {
  const ids: string[] = new Array(players).fill("");
  await inBatches(players, async (from, to) => {
    const joins = range(from, to).map((i) => ({ nickname: `p${i}`, submissionId: `j${i}` }));
    const request = { sessionId: SESSION, joins };
    const { results } = await quiz.joinSession(request, { timeoutMs: CALL_LIMIT_MS });
    for (const [index, { player }] of results.entries()) {
      if (!player) throw new Error(`player ${from + index} was not let in`);
      ids[from + index] = player.playerId;
    }
  });
  return ids;
}

/** A quarter is right, and times differ, so that there is something to rank. */
async function answerAll(quiz: QuizCalls, ids: readonly string[], round: number): Promise<void> {
  await inBatches(ids.length, async (from, to) => {
    const answers = range(from, to).map((i) => ({
      playerId: ids[i] ?? "",
      submissionId: `a${round}-${i}`,
      choices: [OPTIONS[(i + round) % OPTIONS.length] ?? ""],
      elapsedMs: 100 + ((i * 7919) % 20_000),
    }));
    const lane = { sessionId: SESSION, round, lane: 0, ...toAnswerColumns(answers) };
    const { lanes } = await quiz.submitAnswers({ lanes: [lane] }, { timeoutMs: CALL_LIMIT_MS });
    const why = lanes[0]?.refused.find((reason) => reason !== ErrorReason.UNSPECIFIED);
    if (why) throw new Error(`an answer was refused: ${ErrorReason[why]}`);
  });
}

async function readAll(board: BoardCalls, ids: readonly string[], round: number): Promise<void> {
  const parts = [];
  for (let at = 0; at < ids.length; at += PLAYERS_PER_CALL)
    parts.push(ids.slice(at, at + PLAYERS_PER_CALL));
  const answers = await Promise.all(
    parts.map((playerIds) =>
      board.getStandings({ sessionId: SESSION, playerIds, round }, { timeoutMs: CALL_LIMIT_MS }),
    ),
  );
  const ranks = new Set(answers.flatMap((each) => each.ranks));
  if (ranks.size !== ids.length) throw new Error(`${ranks.size} ranks for ${ids.length} players`);
}

/** `SLOWLOG GET` is of [id, time, µs, [command, …], …]. */
async function longestCommand(redis: Redis) {
  const entries = (await redis.call("SLOWLOG", "GET", 1_000)) as [
    number,
    number,
    number,
    string[],
  ][];
  const [longest] = entries.sort((a, b) => b[2] - a[2]);
  return {
    longestMs: (longest?.[2] ?? 0) / 1_000,
    longest: longest?.[3][0] ?? `none over ${SLOW_FROM_US / 1_000} ms`,
  };
}

function inBatches(count: number, act: (from: number, to: number) => Promise<void>) {
  const begins = range(0, Math.ceil(count / BATCH)).map((batch) => batch * BATCH);
  return forEach(begins, BATCHES_AT_ONCE, (from) => act(from, Math.min(count, from + BATCH)));
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

function print({ players, rounds }: RanksResult): void {
  console.log(`\n(d) ranks of all ${players} players after a round`);
  const rows = rounds.map((each, index) => [
    index + 1,
    each.closedMs,
    each.ranksMs,
    each.leaderboardCpuMs,
    each.redisCpuMs,
    each.longestMs,
    each.longest,
  ]);
  const head = [
    "round",
    "close ms",
    "ranks ms",
    "leaderboard CPU ms",
    "Redis CPU ms",
    "longest command ms",
    "command",
  ];
  console.log(textTable(head, rows));
  const [first, ...later] = rounds.map(({ ranksMs }) => ranksMs);
  if (first !== undefined && later.length > 0)
    console.log(`the first to the later ones ${(first / median(later)).toFixed(2)} (target 1.50)`);
}
