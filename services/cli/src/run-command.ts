/** Finds the command, runs it, and turns what goes wrong into a line and an exit code. */
import * as demo from "./commands/demo.js";
import * as down from "./commands/down.js";
import * as end from "./commands/end.js";
import * as load from "./commands/load.js";
import * as record from "./commands/record.js";
import * as servers from "./commands/servers.js";
import * as simulate from "./commands/simulate.js";
import * as token from "./commands/token.js";
import * as up from "./commands/up.js";
import { UsageError } from "./flags.js";
import type { Env } from "./home.js";

interface Command {
  /** First line: how it is typed. */
  usage: string;
  /** Resolves with the exit code. */
  run(args: readonly string[], env: Env): Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  up,
  down,
  simulate,
  record,
  load,
  end,
  token,
  servers,
  demo,
};

const HELP = `Fanfare runs live quizzes.

${Object.values(COMMANDS)
  .map(({ usage }) => `  ${usage.split("\n")[0]}`)
  .join("\n")}

  fanfare <command> -help says more.`;

const OK = 0;
const FAILED = 1;
const MISUSED = 2;

/** The exit code: 0, 1 for what failed, 2 for wrong use. */
export async function runCommand(argv: readonly string[], env: Env): Promise<number> {
  const [name = "help", ...args] = argv;
  if (/^-{0,2}h(elp)?$/.test(name)) return say(HELP);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) return misused(`there is no command ${name}`, HELP);
  if (args.some((arg) => /^--?h(elp)?$/.test(arg))) return say(command.usage);
  try {
    return await command.run(args, env);
  } catch (error) {
    if (error instanceof UsageError) return misused(error.message, command.usage);
    console.error(`fanfare ${name}: ${error instanceof Error ? error.message : String(error)}`);
    if (env.LOG_LEVEL === "debug") console.error(error);
    return FAILED;
  }
}

function say(text: string): number {
  console.log(text);
  return OK;
}

function misused(what: string, usage: string): number {
  console.error(`${what}\n\nusage: ${usage}`);
  return MISUSED;
}
