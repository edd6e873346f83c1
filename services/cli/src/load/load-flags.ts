/** What `fanfare load` can be told, and what it makes of it. */
import { availableParallelism } from "node:os";
import { z } from "@fanfare/common/config";
import { numberFlag, readFlags, tokenFlag, UsageError, wholeFlag } from "../flags.js";
import type { Reaction } from "./cast-plan.js";
import { readSlos, type Slo } from "./slo.js";

const PLAYERS_MAX = 1_000_000;
const SEED_MAX = 0xffffffff;
const MS = 1_000;
/** Players that one process can be without being late, on one core. */
const PLAYERS_PER_PROCESS = 5_000;
/** Median answer time as a part of the round, where nothing is said. */
const REACTION_PART = 0.3;
const SIGMA = 0.5;

const shape = {
  players: wholeFlag(1, PLAYERS_MAX).default(1_000),
  sessions: wholeFlag(1, 10_000).default(1),
  rounds: wholeFlag(1, 500).default(5),
  name: tokenFlag.optional(),
  round: wholeFlag(5, 240).default(10),
  reveal: wholeFlag(1, 60).default(3),
  "live-board": z.boolean().optional(),
  "join-rate": numberFlag(0.1, 100_000).default(400),
  reaction: numberFlag(0.05, 240).optional(),
  burst: numberFlag(0.01, 240).optional(),
  "resume-rate": numberFlag(0, 100_000).default(0),
  away: numberFlag(0, 600).default(1),
  slow: numberFlag(0, 100).default(0),
  "slow-for": numberFlag(0.1, 600).default(5),
  spectators: wholeFlag(0, PLAYERS_MAX).default(0),
  watchers: wholeFlag(0, PLAYERS_MAX).default(0),
  processes: wholeFlag(1, 64).optional(),
  part: z
    .string()
    .regex(/^\d+\/\d+$/, "must be a part of how many, as 0/4")
    .optional(),
  seed: wholeFlag(1, SEED_MAX).default(1),
  slo: z.string().optional(),
  out: z.string().optional(),
  wait: numberFlag(0, 600).default(0),
  "audit-within": numberFlag(1, 600).default(30),
  url: z.string().optional(),
  gateways: z.string().optional(),
  grpc: z.string().optional(),
  nats: z.string().optional(),
  redis: z.string().optional(),
  metrics: z.string().optional(),
  token: z.string().optional(),
};

export interface LoadOptions {
  /** Begins the sessions' ids. */
  name: string;
  players: number;
  sessions: number;
  rounds: number;
  roundSeconds: number;
  revealSeconds: number;
  liveBoard: boolean;
  joinsPerSecond: number;
  reaction: Reaction;
  resumesPerSecond: number;
  awayMs: number;
  slowShare: number;
  slowMs: number;
  spectators: number;
  watchers: number;
  processes: number;
  /** This run is one of several that play the same sessions; the first of them is their host. */
  part: number;
  parts: number;
  seed: number;
  slos: Slo[];
  outFolder: string | undefined;
  waitMs: number;
  auditWithinMs: number;
  url: string | undefined;
  grpc: string | undefined;
  natsUrl: string | undefined;
  redisUrl: string | undefined;
  metricsUrls: string[];
  token: string | undefined;
}

/** Throws UsageError. */
export function readLoadOptions(args: readonly string[]): LoadOptions {
  const flags = readFlags(args, shape);
  if (flags.reaction !== undefined && flags.burst !== undefined)
    throw new UsageError("-reaction and -burst exclude each other");
  const [part = 0, parts = 1] = flags.part?.split("/").map(Number) ?? [];
  if (part >= parts) throw new UsageError(`-part ${flags.part} must be below ${parts}`);
  if (parts > 1 && flags.name === undefined)
    throw new UsageError("-part needs -name: all parts play the same sessions");
  const ours = Math.ceil(flags.players / parts);
  return {
    name: flags.name ?? `load-${Date.now().toString(36)}`,
    players: flags.players,
    sessions: flags.sessions,
    rounds: flags.rounds,
    roundSeconds: flags.round,
    revealSeconds: flags.reveal,
    liveBoard: flags["live-board"] ?? false,
    joinsPerSecond: flags["join-rate"],
    reaction: reactionOf(flags),
    resumesPerSecond: flags["resume-rate"],
    awayMs: flags.away * MS,
    slowShare: flags.slow / 100,
    slowMs: flags["slow-for"] * MS,
    spectators: flags.spectators,
    watchers: flags.watchers,
    processes: flags.processes ?? processesFor(ours),
    part,
    parts,
    seed: flags.seed,
    slos: readSlos(flags.slo ?? ""),
    outFolder: flags.out,
    waitMs: flags.wait * MS,
    auditWithinMs: flags["audit-within"] * MS,
    url: flags.url ?? flags.gateways,
    grpc: flags.grpc,
    natsUrl: flags.nats,
    redisUrl: flags.redis,
    metricsUrls: flags.metrics?.split(",").map((each) => each.trim()) ?? [],
    token: flags.token,
  };
}

function reactionOf(flags: {
  round: number;
  reaction?: number | undefined;
  burst?: number | undefined;
}): Reaction {
  if (flags.burst !== undefined) return { kind: "even", overMs: flags.burst * MS };
  const median = flags.reaction ?? flags.round * REACTION_PART;
  return { kind: "lognormal", medianMs: median * MS, sigma: SIGMA };
}

function processesFor(players: number): number {
  return Math.min(availableParallelism(), Math.ceil(players / PLAYERS_PER_PROCESS));
}
