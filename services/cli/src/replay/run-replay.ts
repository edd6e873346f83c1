/** `fanfare simulate -from`: plays a record again, and compares the boards. */
import { z } from "@fanfare/common/config";
import { createClient } from "@fanfare/common/grpc-client";
import { holdsWithin } from "@fanfare/common/servers/wait";
import { Tokens } from "@fanfare/common/tokens";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { dialNats } from "../dial-nats.js";
import { openDoor } from "../door.js";
import { numberFlag, readFlags, tokenFlag, UsageError } from "../flags.js";
import { type Env, homeOf } from "../home.js";
import { findInstallation, findSecret } from "../installation.js";
import { findRunning } from "../up/running.js";
import { readRecord, type SessionRecord } from "./record.js";
import { compareBoards } from "./replay-plan.js";
import { replaySession } from "./replay-session.js";
import { finalBoard } from "./take-record.js";

const shape = {
  from: z.string(),
  speed: numberFlag(1, 100).default(1),
  name: tokenFlag.optional(),
  url: z.string().optional(),
  grpc: z.string().optional(),
  nats: z.string().optional(),
  token: z.string().optional(),
};

const NAME_CHARS_MAX = 64;
const SUFFIX = "-replay";
const SERVICE_SECONDS = 86_400;
const BOARD_LIMIT_MS = 10_000;
const DIFFERENCES_MAX = 20;

export async function runReplay(args: readonly string[], env: Env): Promise<number> {
  const flags = readFlags(args, shape);
  const { speed } = flags;
  const secret = findSecret(env);
  if (!secret)
    throw new UsageError("a replay needs the installation's secret: TOKEN_SECRET, or make up here");
  const record = await readRecord(flags.from);
  const installation = await findInstallation(env, flags);
  const { urls, token, tls, quizAddress } = installation;
  const running = flags.url === undefined ? await findRunning(homeOf(env)) : undefined;
  const natsUrl = flags.nats ?? (env.NATS_URL || running?.natsUrl);
  const quiz = createClient(QuizService, quizAddress, () => token, tls && { tls });
  const nats =
    record.outside.length > 0 && natsUrl
      ? await dialNats(env, natsUrl, "fanfare replay")
      : undefined;
  const sessionId =
    flags.name ?? record.sessionId.slice(0, NAME_CHARS_MAX - SUFFIX.length) + SUFFIX;
  console.log(
    `${sessionId}: ${record.players.length} players, ${record.rounds} rounds of ${record.sessionId}, ${speed} times as fast`,
  );
  try {
    await replaySession({
      record,
      sessionId,
      speed,
      quiz,
      nats,
      serviceToken: new Tokens([secret]).issue(
        { role: "service", subject: "replay" },
        SERVICE_SECONDS,
      ),
      onRound: (round, answers) =>
        console.log(`round ${round}/${record.rounds}  ${answers} answers`),
    });
  } finally {
    quiz.close();
    await nats?.close();
  }
  return compare(record, () => finalBoard(openDoor(LeaderboardService, urls, token), sessionId));
}

async function compare(
  record: SessionRecord,
  read: () => ReturnType<typeof finalBoard>,
): Promise<number> {
  let differences: string[] = [];
  const isSame = await holdsWithin(BOARD_LIMIT_MS, async () => {
    differences = compareBoards(record.board, await read());
    return differences.length === 0;
  });
  if (isSame) {
    console.log(`the final board is the recorded one: ${record.board.length} players`);
    return 0;
  }
  for (const difference of differences.slice(0, DIFFERENCES_MAX)) console.error(difference);
  console.error(`${differences.length} rows of the final board are not the recorded ones`);
  return 1;
}
