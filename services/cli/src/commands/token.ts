/** `fanfare token`: signs a token for this installation. */
import { z } from "@fanfare/common/config";
import { Tokens } from "@fanfare/common/tokens";
import { numberFlag, readFlags, tokenFlag, UsageError } from "../flags.js";
import type { Env } from "../home.js";
import { findSecret } from "../installation.js";

export const usage = `fanfare token -role admin|host|author|spectator [flags]

Prints a token that this installation takes.

  -role ROLE     what its bearer may do
  -session ID    good for this session alone
  -subject NAME  who the bearer is (the role's name)
  -hours N       how long it lasts (24)

Signs with TOKEN_SECRET, else with the secret of make up here.`;

const shape = {
  role: z.enum(
    ["admin", "host", "author", "spectator"],
    "must be admin, host, author or spectator",
  ),
  session: tokenFlag.optional(),
  subject: tokenFlag.optional(),
  hours: numberFlag(0.01, 8_760).default(24),
};

const SECONDS_PER_HOUR = 3_600;

export async function run(args: readonly string[], env: Env): Promise<number> {
  const { role, session, subject, hours } = readFlags(args, shape);
  const secret = findSecret(env);
  if (!secret) throw new UsageError("no secret: set TOKEN_SECRET, or run make up here first");
  const identity = {
    role,
    subject: subject ?? role,
    ...(session === undefined ? {} : { sessionId: session }),
  };
  console.log(new Tokens([secret]).issue(identity, Math.round(hours * SECONDS_PER_HOUR)));
  return 0;
}
