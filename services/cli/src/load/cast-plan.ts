/** What a crowd process is told of a load, and what it tells of it: plain values that travel. */
import type { HistogramCounts } from "../crowd/histogram.js";
import type { OwnAnswer } from "../ledgers/compare.js";

/** When players answer, counted from the question's arrival. */
export type Reaction =
  /** Log-normal: half of them within the median; sigma is the deviation of its logarithm. */
  | { kind: "lognormal"; medianMs: number; sigma: number }
  /** Evenly over this time: a burst. */
  | { kind: "even"; overMs: number };

export interface CastPlan {
  /** Begins nicknames and submission ids, so that runs can't be mistaken for each other. */
  run: string;
  seed: number;
  /** Gateways, http or https. */
  urls: readonly string[];
  sessions: readonly string[];
  /** This process is every player, spectator and watcher n with n % parts = part. */
  part: number;
  parts: number;
  /** Of all parts together. */
  players: number;
  spectators: number;
  watchers: number;
  joinsPerSecond: number;
  resumesPerSecond: number;
  /** When the first joins are due (nowMs). */
  beginAt: number;
  reaction: Reaction;
  /** Parts of the clients that stop reading again and again, and for how long. */
  slowShare: number;
  slowMs: number;
  /** How long a player who drops its connection stays away. */
  awayMs: number;
  /** How long all of it may take from `beginAt` on. */
  limitMs: number;
}

/** Times that are measured, each from when it was due. */
export const MEASURES = ["connect", "resume", "ack", "reveal", "board"] as const;
export type Measure = (typeof MEASURES)[number];

/** What is counted. */
export const COUNTS = [
  "offered",
  "admitted",
  "due",
  "sent",
  "acked",
  "refused",
  "resent",
  "drops",
  "leaves",
  "returns",
  "slowDowns",
  "retries",
  "frames",
  "bytes",
  "liveFrames",
] as const;
export type Count = (typeof COUNTS)[number];
export type Counts = Record<Count, number>;

/** One second of a process. */
export interface CastProgress {
  /** Seconds since `beginAt`, whole. */
  second: number;
  sockets: number;
  /** In this second. */
  counts: Counts;
  ack: HistogramCounts;
  connect: HistogramCounts;
  /** Part of a core that this process used. */
  busy: number;
}

/** When the frame of a round came to the first and the last of a process's sockets (nowMs). */
export interface Arrival {
  session: string;
  round: number;
  first: number;
  last: number;
  sockets: number;
}

export interface CastReport {
  book: [submissionId: string, answer: OwnAnswer][];
  times: Record<Measure, HistogramCounts>;
  counts: Counts;
  /** Frames and bytes to players, by kind. */
  kinds: Record<string, { frames: number; bytes: number }>;
  questions: Arrival[];
  /** Players that never got in, by the reason they were told last. */
  missing: Record<string, number>;
  /** How late this process itself acted, and how long its event loop stood still. */
  late: HistogramCounts;
  loopLagP99Ms: number;
  cpuSeconds: number;
  wallSeconds: number;
  residentBytes: number;
}
