/** `fanfare up`: starts everything here and runs until Ctrl-C. `make up` builds first. */
import { isDiskFull, ServerError, ServerUnavailableError } from "@fanfare/common/servers/errors";
import { readFlags } from "../flags.js";
import { type Env, homeOf } from "../home.js";
import { runUp } from "../up/run-up.js";

export const usage = `fanfare up

Starts NATS, Redis, PostgreSQL and all services, fills the question bank, plays a demo session, and
runs until Ctrl-C. Settings by environment:

  NATS_URL, REDIS_URL, POSTGRES_URL   servers that run already, instead of own ones
  FANFARE_PORT_GATEWAY=8000           and _QUIZ, _LEADERBOARD, _QUIZ_MASTER, _NATS, _NATS_MONITOR,
                                      _REDIS, _POSTGRES, and _<SERVICE>_ADMIN
  LISTEN_HOST=0.0.0.0                 lets phones of your network join, too
  FANFARE_HOME                        folder for data and logs (.fanfare in the repository)
  LOG_LEVEL                           of the services (info)`;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Exit code after a second Ctrl-C. */
const KILLED = 130;

export async function run(args: readonly string[], env: Env): Promise<number> {
  readFlags(args, {});
  const home = homeOf(env);
  const stop = new AbortController();
  let killAll = () => {};
  const onSignal = () => {
    if (!stop.signal.aborted) return stop.abort(new Error("stopped before it was ready"));
    killAll();
    process.exit(KILLED);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // A reader that went away, as in `make up | head`, is no reason to die without order.
  process.stdout.on("error", () => {});
  try {
    await runUp({
      env,
      home,
      signal: stop.signal,
      onRunning: (kill) => {
        killAll = kill;
      },
      tell: (line) => console.log(line.includes("\n\n") ? `\n${line}` : `  ${line}`),
    });
    console.log("  stopped");
    return 0;
  } catch (error) {
    if (stop.signal.aborted) {
      console.log("  stopped");
      return 0;
    }
    // What was tried to install it, and how that ended.
    if (error instanceof ServerUnavailableError && error.cause)
      console.error(`  ${causeOf(error)}`);
    if (!(error instanceof ServerError) && isDiskFull(error))
      throw new Error(
        `the disk that holds ${home.folder} is full: free some space and start again`,
      );
    throw error;
  }
}

function causeOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? cause.message : String(cause);
}
