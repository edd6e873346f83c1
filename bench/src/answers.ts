/** (b) Everybody answers within a second: the whole stack, beside a bare server that only stores. */

import { nowMs } from "@fanfare/cli/crowd/clock";
import { Crowd, ONE_ADDRESS } from "@fanfare/cli/crowd/crowd";
import type { DrillReport } from "@fanfare/cli/crowd/drills";
import { cpuSeconds } from "@fanfare/cli/crowd/process-usage";
import { type Stack, startStack } from "@fanfare/cli/stack/start-stack";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import postgres from "postgres";
import { type AnswersResult, type Burst, reportAnswers } from "./answers-report.js";
import { startBare } from "./bare.js";
import { holdsWithin, sleep } from "./numbers.js";
import { PROFILED, type Profiler } from "./profiler.js";
import { createSession, gatewayOf, JOINED, joinHello, openQuiz, untilPhase } from "./sessions.js";
import { compareStored } from "./stored.js";

const OVER_MS = 1_000;
const IDLE_MS = 2_000;
/** What a burst leaves to be done (snapshots, metrics) is its own cost. */
const SETTLE_MS = 300;
const JOIN_PER_SECOND = 1_500;
const SESSION = "bench";
const HISTORY_LIMIT_MS = 20_000;
const REVEAL_MS = 1_000;

/** CPU seconds by process. */
type Usage = ReadonlyMap<string, number>;

/** `profiler`: sees one more round, which does not count, as profiling costs. */
export async function benchAnswers(
  players: number,
  rounds: number,
  profiler?: Profiler,
): Promise<AnswersResult> {
  const env = { gateway: ONE_ADDRESS, ...(profiler ? { all: PROFILED } : {}) };
  await using stack = await startStack({ env });
  await using bare = await startBare(stack.natsUrl);
  await using ourCrowd = new Crowd();
  await using bareCrowd = new Crowd();
  const sql = postgres(stack.postgresUrl, { max: 1, onnotice: () => {} });
  const [backend] = await sql`SELECT pg_backend_pid() AS pid`;
  const quiz = openQuiz(stack);
  const total = rounds + (profiler ? 1 : 0);
  await createSession(quiz, SESSION, total);
  const common = { do: "connect", count: players, perSecond: JOIN_PER_SECOND } as const;
  await bareCrowd.order({ ...common, url: bare.url, until: "[" });
  const url = `${gatewayOf(stack)}/v1/socket`;
  await ourCrowd.order({ ...common, url, hello: joinHello(SESSION), until: JOINED });
  await quiz.startSession({ sessionId: SESSION });

  const usage = () => usageOf(stack, bare.pid, Number(backend?.pid));
  const bursts = { bare: [] as Burst[], ours: [] as Burst[] };
  const acknowledged = new Set<string>();
  for (let round = 1; round <= total; round++) {
    await untilPhase(quiz, SESSION, Phase.OPEN, round);
    const isProfiled = round > rounds;
    const idle = await idlePerMs(usage);
    const answer = (crowd: Crowd) => crowd.order({ do: "answer", round, overMs: OVER_MS });
    const bareBurst = await measure(usage, idle, () => answer(bareCrowd));
    if (isProfiled) await profiler?.start(stack);
    const ours = await measure(
      usage,
      idle,
      () => answer(ourCrowd),
      ({ latencies }) => rowsWithin(sql, round, latencies.length),
    );
    if (isProfiled) await profiler?.stop(stack, ours.acks.length);
    else {
      bursts.bare.push(bareBurst);
      bursts.ours.push(ours);
    }
    for (const id of ours.acknowledged) acknowledged.add(id);
    const here = { sessionId: SESSION, expectedRound: round };
    await quiz.nextRound({ ...here, expectedPhase: Phase.OPEN });
    await untilPhase(quiz, SESSION, Phase.REVEAL, round);
    await sleep(REVEAL_MS);
    if (round < total) await quiz.nextRound({ ...here, expectedPhase: Phase.REVEAL });
  }
  const stored = await compareStored(acknowledged, { stack, sql, sessionId: SESSION });
  await sql.end();
  return reportAnswers(bursts, stored, { players, overMs: OVER_MS });
}

/** The backend that counts rows for us is no part of the stack. */
function usageOf(stack: Stack, barePid: number, ourBackend: number): Usage {
  const usage = new Map<string, number>([["bare", cpuSeconds(barePid)]]);
  for (const [name, { pid }] of stack.processes) usage.set(name, pid ? cpuSeconds(pid) : 0);
  for (const [name, { pid }] of Object.entries(stack.servers))
    usage.set(name, pid ? cpuSeconds(pid, ourBackend) : 0);
  return usage;
}

async function idlePerMs(usage: () => Usage): Promise<Usage> {
  await sleep(SETTLE_MS);
  const from = nowMs();
  const before = usage();
  await sleep(IDLE_MS);
  const after = usage();
  const passed = nowMs() - from;
  return new Map([...after].map(([name, all]) => [name, (all - (before.get(name) ?? 0)) / passed]));
}

/** One burst, from the first answer until `untilStored`; its CPU is what idling would not have cost. */
async function measure(
  usage: () => Usage,
  idle: Usage,
  answer: () => Promise<DrillReport>,
  untilStored: (report: DrillReport) => Promise<unknown> = async () => {},
): Promise<Burst> {
  const before = usage();
  const begun = nowMs();
  const report = await answer();
  const ackedMs = nowMs() - begun;
  await untilStored(report);
  const storedMs = nowMs() - begun;
  await sleep(SETTLE_MS);
  const after = usage();
  const passed = nowMs() - begun;
  const idleSeconds = (name: string) => (idle.get(name) ?? 0) * passed;
  const cpu = new Map(
    [...after].map(([name, all]) => [name, all - (before.get(name) ?? 0) - idleSeconds(name)]),
  );
  return {
    acks: report.latencies,
    acknowledged: report.acknowledged,
    refused: report.failures,
    ackedMs,
    storedMs,
    cpu,
    idleMsPerSecond: new Map([...idle].map(([name, perMs]) => [name, perMs * 1e6])),
    crowd: report,
  };
}

function rowsWithin(sql: postgres.Sql, round: number, wanted: number): Promise<boolean> {
  return holdsWithin(HISTORY_LIMIT_MS, async () => {
    const [row] = await sql`
      SELECT count(*)::int AS n FROM quiz.quiz_history WHERE session_id = ${SESSION} AND round = ${round}`;
    return Number(row?.n) >= wanted;
  });
}
