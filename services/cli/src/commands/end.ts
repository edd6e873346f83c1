/** `fanfare end`: ends a session, as its host would. */
import { z } from "@fanfare/common/config";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { openDoor } from "../door.js";
import { readFlags, tokenFlag } from "../flags.js";
import type { Env } from "../home.js";
import { findInstallation } from "../installation.js";

export const usage = `fanfare end -name ID [-url URL] [-token TOKEN]

Ends a session. Its answers count, and its board stays.`;

const shape = { name: tokenFlag, url: z.string().optional(), token: z.string().optional() };

export async function run(args: readonly string[], env: Env): Promise<number> {
  const flags = readFlags(args, shape);
  const { urls, token } = await findInstallation(env, flags);
  await openDoor(QuizService, urls, token).endSession({ sessionId: flags.name });
  console.log(`${flags.name} has ended`);
  return 0;
}
