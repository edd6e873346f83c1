/** `fanfare load`: many players on the product's own doors, and what they and it went through. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../flags.js";
import { type Env, homeOf } from "../home.js";
import { findInstallation } from "../installation.js";
import { htmlReport } from "../load/html-report.js";
import { readLoadOptions } from "../load/load-flags.js";
import type { LoadResult } from "../load/result.js";
import { fileLimitFault, runLoad } from "../load/run-load.js";
import { progressLine, textReport } from "../load/text-report.js";
import type { Timeline } from "../load/timeline.js";
import { findRunning } from "../up/running.js";

export const usage = `fanfare load [-players N] [-url URL,…] [flags]

Plays a quiz with many players at once, says what it cost and how long it took, and exits with 1
unless the players' own book, the log, PostgreSQL and the board agree, and every -slo was kept.

who plays
  -players N         players, spread over the sessions (1000)
  -sessions N        sessions at once (1)
  -spectators N      look on over /v1/socket (0)
  -watchers N        look on over /livescore (0)
  -resume-rate N     players a second who lose their connection and come back with their token (0)
  -away S            how long those stay away (1)
  -slow PERCENT      of all clients stop reading again and again (0), each time …
  -slow-for S        … for so long (5)
what is played
  -rounds N          questions (5)
  -round S           time to answer, 5 to 240 s (10); -reveal S: time at the right answer (3)
  -join-rate N       players who join in a second (400)
  -reaction S        median answer time; times are log-normal with sigma 0.5 (0.3 of -round)
  -burst S           everybody answers within S seconds, evenly, instead
  -live-board        the board moves with every answer
  -seed N            repeats choices and times (1)
where
  -url URL           gateways, comma-separated (the running make up, else http://localhost:8000);
                     -gateways is the same
  -grpc ADDRESS      quiz service (the running make up, else 127.0.0.1:9001)
  -nats URL          to read the log (NATS_URL, else the running make up, else it is not checked);
                     NATS_USER, NATS_PASSWORD and the like as the services have them
  -redis URL         to read how much it holds (the running make up)
  -metrics URL,…     admin ports, for CPU and memory of services that run elsewhere
  -token TOKEN       admin token (FANFARE_TOKEN, else that of make up here)
  -wait S            seconds that the services may take until they can be reached (0)
how it is played
  -processes N       client processes (one for 5,000 players, at most one a core)
  -part I/N -name ID this command is one of N that play the same sessions; part 0 is their host
  -name ID           begins the sessions' ids
what comes out
  -slo LIST          limits in ms, as ack-p99=100,connect-p99=1000,skew-max=500; of connect, resume,
                     ack, reveal, board, skew
  -audit-within S    how long the stores may take to agree (30)
  -out FOLDER        for the report as HTML and JSON (.fanfare/load)`;

const OK = 0;
const BROKEN = 1;
/** Exit code after Ctrl-C, where what was played kept every promise. */
const INTERRUPTED = 130;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** Without a terminal that can be written over, a line so often. */
const LINE_EVERY_S = 5;

export async function run(args: readonly string[], env: Env): Promise<number> {
  const options = readLoadOptions(args);
  const installation = await findInstallation(env, options);
  const running = options.url === undefined ? await findRunning(homeOf(env)) : undefined;
  options.natsUrl ??= env.NATS_URL || running?.natsUrl;
  options.redisUrl ??= running?.redisUrl;
  const fault = fileLimitFault(options);
  if (fault) throw new UsageError(fault);
  const stop = new AbortController();
  for (const signal of SIGNALS) process.once(signal, () => stop.abort());
  const tell = (line: string) => console.log(line);
  const result = await runLoad({
    env,
    installation,
    options,
    signal: stop.signal,
    tell,
    onSecond: showProgress(),
  });
  console.log(`\n${textReport(result)}\n`);
  tell(await writeReport(result, options.outFolder ?? join(homeOf(env).folder, "load")));
  if (result.broken.length > 0) return BROKEN;
  return result.interrupted ? INTERRUPTED : OK;
}

function showProgress(): (timeline: Timeline) => void {
  let calls = 0;
  return (timeline) => {
    const last = timeline.last();
    if (!last || last.second < 0) return;
    const line = progressLine(last, timeline.total);
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K${line}`);
    else if (calls++ % LINE_EVERY_S === 0) console.log(line);
  };
}

/** The parts of one load write beside each other. */
async function writeReport(result: LoadResult, folder: string): Promise<string> {
  const { name, options } = result;
  const base = join(folder, options.parts > 1 ? `${name}-${options.part}` : name);
  await mkdir(folder, { recursive: true });
  await writeFile(`${base}.json`, `${JSON.stringify(result, null, 2)}\n`);
  await writeFile(`${base}.html`, htmlReport(result));
  return `report: ${base}.html and .json`;
}
