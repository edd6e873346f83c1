/** All that a load found, as its JSON report holds it; text and HTML are made of this alone. */

import type { Verdict } from "./bottleneck.js";
import type { Counts, Measure } from "./cast-plan.js";
import type { LedgerResult } from "./load-audit.js";
import type { LoadOptions } from "./load-flags.js";
import type { ShareName, SloResult } from "./slo.js";
import type { Second } from "./timeline.js";

/** Times in ms. */
export type Times = { count: number } & Record<ShareName, number>;

export interface ServiceCost {
  name: string;
  /** From the first question to the end. */
  cpuSeconds: number;
  /** Without what it used while nothing happened. */
  cpuUsPerAnswer: number;
  /** Before the first join, with everybody in, and at the end. */
  mebibytes: { before: number; joined: number; after: number };
}

export interface UnitCost {
  what: string;
  value: number;
  unit: string;
  /** How it was measured. */
  how: string;
}

export interface LoadResult {
  name: string;
  /** Somebody ended it early. */
  interrupted: boolean;
  at: string;
  /** What was asked for, without what may hold a password. */
  options: Omit<LoadOptions, "token" | "natsUrl" | "redisUrl">;
  machine: { cpu: string; cores: number; node: string; loadBefore: number[]; loadAfter: number[] };
  /** From the first join to the end. */
  seconds: number;
  players: { asked: number; joined: number; missing: Record<string, number> };
  times: Record<Measure | "skew", Times>;
  /** Ack latency by percentile: [share, ms]. */
  ackSpectrum: [number, number][];
  counts: Counts;
  kinds: Record<string, { frames: number; bytes: number }>;
  perClientAndRound: { frames: number; bytes: number };
  questions: { session: string; round: number; skewMs: number; sockets: number }[];
  timeline: Second[];
  services: ServiceCost[];
  /** CPU of each service as part of a core, over time. */
  serviceTimeline: { second: number; cores: Record<string, number> }[];
  generator: Verdict & {
    processes: number;
    cpuSeconds: number;
    lateP99Ms: number;
    loopLagP99Ms: number;
    busyP95: number;
    machineIdle: number | undefined;
  };
  ledgers: LedgerResult[];
  unitCosts: UnitCost[];
  slos: SloResult[];
  /** What was broken, in words; the exit code is 0 only where nothing is. */
  broken: string[];
}
