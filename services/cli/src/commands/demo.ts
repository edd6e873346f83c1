/** `fanfare demo`: keeps the demo session playing; `make up` runs it. */
import { z } from "@fanfare/common/config";
import { runDemo } from "../demo/run-demo.js";
import { readFlags } from "../flags.js";
import type { Env } from "../home.js";
import { findInstallation } from "../installation.js";

export const usage = `fanfare demo [-url URL] [-token TOKEN]

Plays the session "demo" again and again, with players of its own, until it is stopped.`;

const shape = { url: z.string().optional(), token: z.string().optional() };

export async function run(args: readonly string[], env: Env): Promise<number> {
  const { urls, token } = await findInstallation(env, readFlags(args, shape));
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  await runDemo({
    urls,
    token,
    signal: stop.signal,
    tell: (line) => console.log(`${new Date().toISOString()} ${line}`),
  });
  return 0;
}
