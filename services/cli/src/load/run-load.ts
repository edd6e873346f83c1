/** Runs a load from its sessions' making to its result. */
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@fanfare/common/grpc-client";
import { settlesWithin } from "@fanfare/common/servers/wait";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { nowMs } from "../crowd/clock.js";
import { Crowd } from "../crowd/crowd.js";
import { openDoor } from "../door.js";
import { type Env, homeOf } from "../home.js";
import type { Installation } from "../installation.js";
import { untilDone } from "../retry.js";
import type { CastPlan, CastReport } from "./cast-plan.js";
import { auditSession, booksOf, type LedgerResult } from "./load-audit.js";
import type { LoadOptions } from "./load-flags.js";
import { LoadHost, sessionIds } from "./load-host.js";
import { type Borders, makeResult } from "./make-result.js";
import type { LoadResult } from "./result.js";
import { numbersOf } from "./schedule.js";
import { localProcesses } from "./service-usage.js";
import { Stores } from "./stores.js";
import { Timeline } from "./timeline.js";
import { UsageRecorder } from "./usage-recorder.js";

export interface LoadRun {
  env: Env;
  installation: Installation;
  options: LoadOptions;
  /** Aborts at Ctrl-C: the sessions are ended, and what was played is reported. */
  signal: AbortSignal;
  tell(line: string): void;
  /** Once a second while players play. */
  onSecond(timeline: Timeline): void;
}

const MS = 1_000;
const IDLE_MS = 2_000;
const LEAD_MS = 500;
/** How much longer than planned joining may take before the game begins all the same. */
const JOIN_SPARE_MS = 30_000;
/** Grace, closing and own results of a round, at most. */
const ROUND_SPARE_MS = 2_000;
const END_SPARE_MS = 20_000;
const POLL_MS = 250;

export async function runLoad(run: LoadRun): Promise<LoadResult> {
  const { options, installation, tell } = run;
  const { urls, token } = installation;
  const sessions = sessionIds(options);
  const quizzes = openDoor(QuizService, urls, token);
  const host = new LoadHost(quizzes, options, sessions);
  if (options.waitMs > 0) await untilDone(() => quizzes.listSessions({}), options.waitMs);
  if (options.part === 0) await host.create();
  else await host.untilThere(Math.max(options.waitMs, JOIN_SPARE_MS));
  tell(
    `${sessions[0]}${sessions.length > 1 ? ` to ${sessions.at(-1)}` : ""}: ${describe(options)}`,
  );
  await using stores = await Stores.open(run.env, {
    nats: options.natsUrl,
    redis: options.redisUrl,
  });
  try {
    return await playAndCheck(run, { host, sessions, stores });
  } catch (error) {
    if (options.part === 0) await host.end();
    throw error;
  }
}

function describe({ players, spectators, watchers, processes, rounds }: LoadOptions): string {
  const lookers = spectators + watchers > 0 ? `, ${spectators + watchers} looking on` : "";
  return `${players} players${lookers}, ${rounds} rounds, ${processes} client process${processes === 1 ? "" : "es"}`;
}

interface Stage {
  host: LoadHost;
  sessions: readonly string[];
  stores: Stores;
}

async function playAndCheck(run: LoadRun, stage: Stage): Promise<LoadResult> {
  const { options, env } = run;
  const at = new Date().toISOString();
  const loadBefore = loadavg();
  const pids = isLocal(run.installation)
    ? await localProcesses(homeOf(env).folder)
    : new Map<string, number>();
  await using crowds = forkCrowds(options.processes);
  await Promise.all(crowds.all.map(({ ready }) => ready));
  const beginAt = nowMs() + IDLE_MS + LEAD_MS;
  await using recorder = new UsageRecorder(pids, options.metricsUrls, beginAt);
  const timeline = new Timeline();
  const idle = await recorder.read();
  await delay(IDLE_MS);
  const [before, sizesBefore] = [await recorder.read(), await stage.stores.sizes()];
  recorder.start();
  const { reports, joined } = await play(run, stage, {
    recorder,
    timeline,
    beginAt,
    crowds: crowds.all,
  });
  const [after, sizesAfter] = [await recorder.read(), await stage.stores.sizes()];
  await recorder[Symbol.asyncDispose]();
  const seconds = (nowMs() - beginAt) / MS;
  const ledgers = await audit(run, stage, reports);
  const borders: Borders = { idle, before, joined, after, sizesBefore, sizesAfter };
  return makeResult({
    options,
    at,
    machine: {
      cpu: cpus()[0]?.model ?? "",
      cores: cpus().length,
      node: process.version,
      loadBefore,
      loadAfter: loadavg(),
    },
    seconds,
    reports,
    timeline,
    borders,
    samples: recorder.samples,
    machineIdle: recorder.machineIdle(),
    ledgers,
    interrupted: run.signal.aborted,
  });
}

function forkCrowds(count: number): AsyncDisposable & { all: readonly Crowd[] } {
  const all = Array.from({ length: count }, () => new Crowd());
  return {
    all,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map((crowd) => crowd[Symbol.asyncDispose]()));
    },
  };
}

function isLocal({ urls }: Installation): boolean {
  return urls.some((url) => /^(localhost|127\.|\[::1\])/.test(new URL(url).hostname));
}

async function play(
  run: LoadRun,
  { host, sessions }: Stage,
  at: { recorder: UsageRecorder; timeline: Timeline; beginAt: number; crowds: readonly Crowd[] },
) {
  const { options, signal } = run;
  const { crowds } = at;
  const stop = () => {
    for (const crowd of crowds) crowd.stop();
  };
  signal.addEventListener("abort", stop, { once: true });
  const ticks = setInterval(() => run.onSecond(at.timeline), MS);
  try {
    const playing = Promise.all(
      crowds.map((crowd, i) => {
        const plan = castPlan(run, sessions, { beginAt: at.beginAt, process: i });
        return crowd.order({ do: "play", plan } as const, (progress) =>
          at.timeline.take(i, progress),
        );
      }),
    );
    await untilJoined(run, host, { timeline: at.timeline, playing });
    const joined = await at.recorder.read();
    if (signal.aborted) await host.end();
    else if (options.part === 0) await host.start();
    const reports: CastReport[] = await playing;
    if (signal.aborted && options.part === 0) await host.end();
    return { reports, joined };
  } finally {
    clearInterval(ticks);
    signal.removeEventListener("abort", stop);
  }
}

function castPlan(
  { options, installation }: LoadRun,
  sessions: readonly string[],
  { beginAt, process }: { beginAt: number; process: number },
): CastPlan {
  const { processes, part, parts } = options;
  return {
    run: runName(options),
    seed: options.seed,
    urls: installation.urls,
    sessions,
    part: part * processes + process,
    parts: parts * processes,
    players: options.players,
    spectators: options.spectators,
    watchers: options.watchers,
    joinsPerSecond: options.joinsPerSecond,
    resumesPerSecond: options.resumesPerSecond,
    beginAt,
    reaction: options.reaction,
    slowShare: options.slowShare,
    slowMs: options.slowMs,
    awayMs: options.awayMs,
    limitMs: joinLimitMs(options) + playMs(options) + END_SPARE_MS,
  };
}

/** Nicknames have 24 characters at most. */
function runName({ name }: LoadOptions): string {
  return name.slice(-12);
}

function joinLimitMs({ players, joinsPerSecond }: LoadOptions): number {
  return (players / joinsPerSecond) * MS + JOIN_SPARE_MS;
}

function playMs({ rounds, roundSeconds, revealSeconds }: LoadOptions): number {
  return rounds * ((roundSeconds + revealSeconds) * MS + ROUND_SPARE_MS);
}

/** All players of this run, and at the host's those of the other parts too; or the time is up. */
async function untilJoined(
  { options, signal }: LoadRun,
  host: LoadHost,
  { timeline, playing }: { timeline: Timeline; playing: Promise<unknown> },
): Promise<void> {
  const { players, part, parts } = options;
  const ours = numbersOf(players, { part, parts }).length;
  const deadline = nowMs() + joinLimitMs(options);
  const isIn = async () => {
    if (timeline.total.admitted < ours) return false;
    return parts === 1 || part > 0 || (await host.joined()) >= players;
  };
  while (!signal.aborted && nowMs() < deadline && !(await isIn()))
    if (await settlesWithin(POLL_MS, playing)) return;
}

async function audit(
  { options, installation, tell }: LoadRun,
  { sessions, stores }: Stage,
  reports: readonly CastReport[],
): Promise<LedgerResult[]> {
  const { quizAddress, urls, token, tls } = installation;
  const quiz = createClient(QuizService, quizAddress, () => token, tls && { tls });
  const leaderboard = openDoor(LeaderboardService, urls, token);
  tell("comparing the players' book, the log, PostgreSQL and the board");
  const books = booksOf(
    reports.flatMap(({ book }) => book),
    sessions,
    // `<run>-<player>-r<round>`
    (submissionId) => Number(/-(\d+)-r\d+$/.exec(submissionId)?.[1] ?? 0),
  );
  try {
    const results: LedgerResult[] = [];
    for (const session of sessions)
      results.push(
        await auditSession(
          { quiz, leaderboard, nats: stores.nats, natsFault: stores.natsFault },
          { session, book: books.get(session) ?? new Map(), limitMs: options.auditWithinMs },
        ),
      );
    return results;
  } finally {
    quiz.close();
  }
}

/** Descriptors that a process needs beside its sockets. */
const SPARE_FILES = 100;

/** Why this machine can't hold so many sockets; undefined where it can, or nobody knows. */
export function fileLimitFault(options: LoadOptions): string | undefined {
  const { players, spectators, watchers, processes, parts } = options;
  const needed = Math.ceil((players + spectators + watchers) / (parts * processes)) + SPARE_FILES;
  let limits: string;
  try {
    limits = readFileSync("/proc/self/limits", "utf8");
  } catch {
    return undefined;
  }
  const [, soft = "", hard = ""] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? [];
  if (soft === "unlimited" || soft === "" || Number(soft) >= needed) return undefined;
  const enough = hard === "unlimited" || Number(hard) >= needed;
  const advice = enough
    ? `type  ulimit -n ${needed}  in this terminal first, or take more -processes`
    : "take more -processes";
  return `each client process would open ${needed} files, and may open ${soft}: ${advice}`;
}
