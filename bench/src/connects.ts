/**
 * (c) A storm of connects: join, token and first frames, beside a bare server's connect; at a gateway that
 * has just been started, and at the same one again, whose code is compiled by then.
 */

import { nowMs } from "@fanfare/cli/crowd/clock";
import { Crowd, ONE_ADDRESS } from "@fanfare/cli/crowd/crowd";
import type { Drill, DrillReport } from "@fanfare/cli/crowd/drills";
import { cpuSeconds, residentBytes } from "@fanfare/cli/crowd/process-usage";
import { type Stack, startStack } from "@fanfare/cli/stack/start-stack";
import { textTable } from "@fanfare/cli/text-table";
import { startBare } from "./bare.js";
import { crowdNote } from "./crowd-note.js";
import { median, sleep, sum, timesOf } from "./numbers.js";
import { createSession, gatewayOf, JOINED, joinHello, openQuiz } from "./sessions.js";
import { usageOf } from "./usage.js";

/** What the end of 10,000 sockets leaves to be done. */
const SETTLE_MS = 2_000;

interface Storm {
  report: DrillReport;
  /** From the first connect until all are in. */
  wallMs: number;
  serverCpuSeconds: number;
  /** Of all processes of the stack. */
  stackCpuSeconds: number;
  kibPerSocket: number;
}

interface Figures {
  failures: number;
  perSecond: number;
  inMs: ReturnType<typeof timesOf>;
  serverCpuMs: number;
  stackCpuMs: number;
  kibPerSocket: number;
}

export interface ConnectsResult {
  count: number;
  perSecond: number;
  bare: Figures;
  /** A gateway that was just started. */
  fresh: Figures;
  /** The same one again. */
  warm: Figures;
  /** Fresh to bare, by CPU of the server. */
  ratio: number;
  /** Fresh to warm: median of the turns' p99 and of the server's CPU. */
  coldToWarm: { p99: number; cpu: number };
}

export async function benchConnects(
  count: number,
  perSecond: number,
  turns: number,
): Promise<ConnectsResult> {
  await using stack = await startStack({ env: { gateway: ONE_ADDRESS } });
  await using bare = await startBare(stack.natsUrl);
  const quiz = openQuiz(stack);
  const storms = { bare: [] as Storm[], fresh: [] as Storm[], warm: [] as Storm[] };
  const common = { do: "connect", count, perSecond } as const;
  for (let turn = 1; turn <= turns; turn++) {
    const order = { ...common, url: bare.url, until: "[" };
    storms.bare.push(await storm(stack, bare.pid, order));
    // A process that has held sockets before has their memory still.
    await stack.process("gateway-1").restart();
    for (const state of ["fresh", "warm"] as const) {
      const sessionId = `storm-${turn}-${state}`;
      await createSession(quiz, sessionId, 1);
      const [url, hello] = [`${gatewayOf(stack)}/v1/socket`, joinHello(sessionId)];
      const joins = { ...common, url, hello, until: JOINED };
      storms[state].push(await storm(stack, stack.process("gateway-1").pid ?? 0, joins));
      await sleep(SETTLE_MS);
    }
  }
  const figures = {
    bare: figuresOf(storms.bare, count),
    fresh: figuresOf(storms.fresh, count),
    warm: figuresOf(storms.warm, count),
  };
  const ratio = figures.fresh.serverCpuMs / figures.bare.serverCpuMs;
  const result = { count, perSecond, ...figures, ratio, coldToWarm: coldToWarm(storms) };
  print(result, [...storms.bare, ...storms.fresh, ...storms.warm]);
  return result;
}

/** By turns, each of which had the same neighbours on the machine. */
function coldToWarm({ fresh, warm }: { fresh: readonly Storm[]; warm: readonly Storm[] }) {
  const ratios = (figure: (storm: Storm) => number) =>
    median(fresh.map((cold, turn) => figure(cold) / figure(warm[turn] ?? cold)));
  return {
    p99: ratios(({ report }) => timesOf(report.latencies).p99Ms),
    cpu: ratios(({ serverCpuSeconds }) => serverCpuSeconds),
  };
}

async function storm(stack: Stack, pid: number, order: Drill): Promise<Storm> {
  await using crowd = new Crowd();
  const stackCpu = () => sum(usageOf(stack).values());
  const before = { cpu: cpuSeconds(pid), stack: stackCpu(), memory: residentBytes(pid) };
  const begun = nowMs();
  const report = await crowd.order(order);
  const wallMs = nowMs() - begun;
  return {
    report,
    wallMs,
    serverCpuSeconds: cpuSeconds(pid) - before.cpu,
    stackCpuSeconds: stackCpu() - before.stack,
    kibPerSocket: (residentBytes(pid) - before.memory) / report.latencies.length / 1_024,
  };
}

function figuresOf(storms: readonly Storm[], count: number): Figures {
  const of = (figure: (storm: Storm) => number) => median(storms.map(figure));
  return {
    failures: sum(storms.map(({ report }) => report.failures)),
    perSecond: of(({ report, wallMs }) => (report.latencies.length * 1_000) / wallMs),
    inMs: timesOf(storms.flatMap(({ report }) => report.latencies)),
    serverCpuMs: of((each) => (each.serverCpuSeconds * 1_000) / count),
    stackCpuMs: of((each) => (each.stackCpuSeconds * 1_000) / count),
    kibPerSocket: of((each) => each.kibPerSocket),
  };
}

function print(result: ConnectsResult, storms: readonly Storm[]) {
  const { count, perSecond, bare, fresh, warm, ratio, coldToWarm: cold } = result;
  const head = ["", "failed", "in per s", "p50 ms", "p99", "max", "server CPU ms/connect"];
  const row = (name: string, stackMs: number, of: Figures) =>
    [
      name,
      ...[of.failures, of.perSecond, ...Object.values(of.inMs)],
      ...[of.serverCpuMs, stackMs, of.kibPerSocket],
    ] as const;
  console.log(`\n(c) ${count} connects at ${perSecond} per second`);
  console.log(
    textTable(
      [...head, "whole stack", "KiB/socket"],
      [
        [...row("bare, first frame", Number.NaN, bare)],
        [...row("joined, fresh gateway", fresh.stackCpuMs, fresh)],
        [...row("joined, the same again", warm.stackCpuMs, warm)],
      ],
    ),
  );
  console.log(
    `a gateway just started to the same again: p99 ${cold.p99.toFixed(2)} (target 1.50), ` +
      `CPU ${cold.cpu.toFixed(2)}`,
  );
  console.log(`gateway to bare ${ratio.toFixed(1)}; ${crowdNote(storms.map((s) => s.report))}`);
}
