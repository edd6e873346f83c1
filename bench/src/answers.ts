/** (b) Everybody answers within a second: the whole stack, beside a bare server that only stores. */

import { nowMs } from "@fanfare/cli/crowd/clock";
import { Crowd, ONE_ADDRESS } from "@fanfare/cli/crowd/crowd";
import type { DrillReport } from "@fanfare/cli/crowd/drills";
import { cpuSeconds } from "@fanfare/cli/crowd/process-usage";
import { startStack } from "@fanfare/cli/stack/start-stack";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import postgres from "postgres";
import { type AnswersResult, type Burst, reportAnswers } from "./answers-report.js";
import { startBare } from "./bare.js";
import { sleep } from "./numbers.js";
import { PROFILED, type Profiler } from "./profiler.js";
import { createSession, gatewayOf, JOINED, joinHello, openQuiz, untilPhase } from "./sessions.js";
import { compareStored, rowsArrive } from "./stored.js";
import { idleUsage, type Usage, usageOf, usageSince } from "./usage.js";

const OVER_MS = 1_000;
/** What a burst leaves to be done (snapshots, metrics) is its own cost. */
const SETTLE_MS = 300;
const JOIN_PER_SECOND = 1_500;
const SESSION = "bench";
const REVEAL_MS = 1_000;

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

  // The backend that counts rows for us is no part of the stack.
  const usage = () =>
    new Map([["bare", cpuSeconds(bare.pid)], ...usageOf(stack, Number(backend?.pid))]);
  const bursts = { bare: [] as Burst[], ours: [] as Burst[] };
  const acknowledged = new Set<string>();
  for (let round = 1; round <= total; round++) {
    await untilPhase(quiz, SESSION, Phase.OPEN, round);
    const isProfiled = round > rounds;
    const idle = await idleUsage(usage, SETTLE_MS);
    const answer = (crowd: Crowd) => crowd.order({ do: "answer", round, overMs: OVER_MS });
    const bareBurst = await measure(usage, idle, () => answer(bareCrowd));
    if (isProfiled) await profiler?.start(stack);
    const ours = await measure(
      usage,
      idle,
      () => answer(ourCrowd),
      ({ latencies }) => rowsArrive(sql, { sessionId: SESSION, round }, latencies.length),
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

/** One burst, from the first answer until `untilStored`; its CPU is what idling would not have cost. */
async function measure(
  usage: () => Usage,
  idle: Usage,
  answer: () => Promise<DrillReport>,
  untilStored: (report: DrillReport) => Promise<unknown> = async () => {},
): Promise<Burst> {
  const cpuSince = usageSince(usage, idle);
  const begun = nowMs();
  const report = await answer();
  const ackedMs = nowMs() - begun;
  await untilStored(report);
  const storedMs = nowMs() - begun;
  await sleep(SETTLE_MS);
  return {
    acks: report.latencies,
    acknowledged: report.acknowledged,
    refused: report.failures,
    ackedMs,
    storedMs,
    cpu: cpuSince(),
    idleMsPerSecond: new Map([...idle].map(([name, perMs]) => [name, perMs * 1e6])),
    crowd: report,
  };
}
