/** The figures of (b), printed and kept. */

import type { DrillReport } from "@fanfare/cli/crowd/drills";
import { textTable } from "@fanfare/cli/text-table";
import { crowdNote } from "./crowd-note.js";
import { median, sum, timesOf } from "./numbers.js";
import { type Stored, storedLines } from "./stored.js";
import type { Usage } from "./usage.js";

/** One round of one side. */
export interface Burst {
  /** Latencies in ms. */
  acks: number[];
  acknowledged: string[];
  refused: number;
  /** From the first answer to the last acknowledgement, and until all rows are there. */
  ackedMs: number;
  storedMs: number;
  /** Without what idling costs. */
  cpu: Usage;
  idleMsPerSecond: ReadonlyMap<string, number>;
  crowd: DrillReport;
}

interface Figures {
  acknowledged: number;
  refused: number;
  answersPerSecond: number;
  ackMs: ReturnType<typeof timesOf>;
  cpuUs: number;
  /** The first are dearer: V8 has not compiled what they need. */
  cpuUsByRound: number[];
}

export interface AnswersResult extends Stored {
  players: number;
  rounds: number;
  bare: Figures;
  ours: Figures;
  ratio: number;
  storedMs: { median: number; max: number };
  /** µs an answer, and ms a second while nothing happens. */
  processes: { name: string; cpuUs: number; idleMsPerSecond: number }[];
}

const BARE = new Set(["bare", "nats"]);

export function reportAnswers(
  { bare, ours }: { bare: readonly Burst[]; ours: readonly Burst[] },
  stored: Stored,
  { players, overMs }: { players: number; overMs: number },
): AnswersResult {
  const names = [...(ours[0]?.cpu.keys() ?? [])].filter((name) => name !== "bare");
  const result: AnswersResult = {
    players,
    rounds: ours.length,
    bare: figuresOf(bare, (name) => BARE.has(name)),
    ours: figuresOf(ours, (name) => name !== "bare"),
    ratio: median(
      ours.map(
        (burst, i) =>
          cpuUs(burst, (name) => name !== "bare") /
          cpuUs(bare[i] ?? burst, (name) => BARE.has(name)),
      ),
    ),
    storedMs: {
      median: median(ours.map(({ storedMs }) => storedMs)),
      max: Math.max(...ours.map(({ storedMs }) => storedMs)),
    },
    processes: names.map((name) => ({
      name,
      cpuUs: median(ours.map((burst) => cpuUs(burst, (each) => each === name))),
      idleMsPerSecond: median(ours.map((burst) => burst.idleMsPerSecond.get(name) ?? 0)),
    })),
    ...stored,
  };
  print(result, overMs, [...bare, ...ours]);
  return result;
}

const cpuUs = ({ cpu, acks }: Burst, counts: (name: string) => boolean) =>
  (sum([...cpu].filter(([name]) => counts(name)).map(([, seconds]) => seconds)) * 1e6) /
  acks.length;

function figuresOf(bursts: readonly Burst[], counts: (name: string) => boolean): Figures {
  const cpuUsByRound = bursts.map((burst) => cpuUs(burst, counts));
  return {
    acknowledged: sum(bursts.map(({ acks }) => acks.length)),
    refused: sum(bursts.map(({ refused }) => refused)),
    answersPerSecond: median(bursts.map(({ acks, ackedMs }) => (acks.length * 1_000) / ackedMs)),
    ackMs: timesOf(bursts.flatMap(({ acks }) => acks)),
    cpuUs: median(cpuUsByRound),
    cpuUsByRound,
  };
}

function print(result: AnswersResult, overMs: number, bursts: readonly Burst[]): void {
  const { players, rounds, bare, ours, storedMs, processes, log, postgres } = result;
  console.log(
    `\n(b) ${players} players answer within ${overMs / 1_000} s, ${rounds} rounds; targets: all acknowledged and in PostgreSQL within 2 s, under 100 µs per answer`,
  );
  const row = (name: string, { acknowledged, refused, answersPerSecond, ackMs, cpuUs }: Figures) =>
    [name, acknowledged, refused, answersPerSecond, ...Object.values(ackMs), cpuUs] as const;
  const head = ["", "acked", "not acked", "answers/s", "ack p50 ms", "p99", "max", "CPU µs/answer"];
  console.log(
    textTable(
      [...head, "rows after ms"],
      [
        [...row("bare, stored only", bare), "-"],
        [...row("whole stack", ours), `${Math.round(storedMs.median)}`],
      ],
    ),
  );
  console.log(
    `ratio to bare ${result.ratio.toFixed(2)}; by round ${ours.cpuUsByRound.map(Math.round).join(", ")} µs; slowest round: rows after ${Math.round(storedMs.max)} ms`,
  );
  console.log(
    textTable(
      ["process", "CPU µs/answer", "idle, ms/s"],
      processes.map(({ name, cpuUs, idleMsPerSecond }) => [name, cpuUs, idleMsPerSecond]),
    ),
  );
  for (const line of storedLines({ log, postgres }))
    console.log(`of ${ours.acknowledged} acknowledged, ${line}`);
  console.log(crowdNote(bursts.map(({ crowd }) => crowd)));
}
