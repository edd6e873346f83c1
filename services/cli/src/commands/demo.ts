/** `fanfare demo`: keeps the demo session playing; `make up` runs it. */
import { z } from "@fanfare/common/config";
import { runDemo } from "../demo/run-demo.js";
import { readFlags } from "../flags.js";
import type { Env } from "../home.js";
import { findInstallation } from "../installation.js";
import { fillBank } from "../up/fill-bank.js";

export const usage = `fanfare demo [-url URL] [-token TOKEN]

Puts the quizzes that come with Fanfare into the bank, where they are not there, and plays the session
"demo" again and again, with players of its own, until it is stopped.`;

const shape = { url: z.string().optional(), token: z.string().optional() };

export async function run(args: readonly string[], env: Env): Promise<number> {
  const { urls, token } = await findInstallation(env, readFlags(args, shape));
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const tell = (line: string) => console.log(`${new Date().toISOString()} ${line}`);
  const { added, quizzes } = await fillBank(urls, token);
  tell(`question bank: ${quizzes} quizzes, ${added} of them new`);
  await runDemo({ urls, token, signal: stop.signal, tell });
  return 0;
}
