/** `fanfare record`: keeps a session that has ended in a file, to be played again. */
import { z } from "@fanfare/common/config";
import { createClient } from "@fanfare/common/grpc-client";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { openDoor } from "../door.js";
import { readFlags, tokenFlag } from "../flags.js";
import type { Env } from "../home.js";
import { findInstallation } from "../installation.js";
import { writeRecord } from "../replay/record.js";
import { takeRecord } from "../replay/take-record.js";

export const usage = `fanfare record -session ID -out FILE [flags]

Writes what a session that has ended was to a file: questions with their right answers, players, every
answer with its time, and the final board. fanfare simulate -from FILE plays it again. A session can be
recorded until a day after its end. The file holds the players' nicknames.

  -session ID    which
  -out FILE      where to
  -url URL       gateways, comma-separated (the running make up, else http://localhost:8000)
  -grpc ADDRESS  quiz service (the running make up, else 127.0.0.1:9001)
  -token TOKEN   admin token (FANFARE_TOKEN, else that of make up here)`;

const shape = {
  session: tokenFlag,
  out: z.string("is missing"),
  url: z.string().optional(),
  grpc: z.string().optional(),
  token: z.string().optional(),
};

export async function run(args: readonly string[], env: Env): Promise<number> {
  const flags = readFlags(args, shape);
  const { urls, token, tls, quizAddress } = await findInstallation(env, flags);
  const quiz = createClient(QuizService, quizAddress, () => token, tls && { tls });
  const leaderboard = openDoor(LeaderboardService, urls, token);
  try {
    const record = await takeRecord({ quiz, leaderboard }, flags.session);
    await writeRecord(flags.out, record);
    const { players, answers, rounds } = record;
    console.log(
      `${flags.out}: ${flags.session}, ${players.length} players, ${answers.length} answers in ${rounds} rounds`,
    );
    return 0;
  } finally {
    quiz.close();
  }
}
