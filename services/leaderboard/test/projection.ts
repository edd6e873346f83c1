/** The projection on a real Redis, fed by hand: no NATS, so thousands of logs can be tried. */

import type { Letter } from "@fanfare/common/dead-letters";
import { createLogger } from "@fanfare/common/log";
import type { LogEntry, Projection } from "@fanfare/common/partition-reader";
import { storedSubject } from "@fanfare/proto/addresses";
import type { Redis } from "ioredis";
import { RedisBoards } from "../src/adapters/redis-boards.js";
import { RedisStandings } from "../src/adapters/redis-standings.js";
import { LeaderboardMetrics } from "../src/metrics.js";
import type { Published } from "./events.js";
import type { ReferenceBoard } from "./reference-board.js";

export const GENERATION = "2026-11-24T00:00:00Z";

/** `over`: sessions that have ended, as the log and PostgreSQL would say. */
export function makeStandings(redis: Redis, options: { boardTtlS?: number; over?: string[] } = {}) {
  const metrics = new LeaderboardMetrics();
  const letters: Letter[] = [];
  const takenOver: number[] = [];
  const standings = new RedisStandings({
    redis,
    metrics,
    log: createLogger("test", "silent"),
    deadLetters: { publish: async (more) => void letters.push(...more) },
    forgetSnapshot: async () => {},
    ended: { among: async (ids) => new Set(ids.filter((id) => options.over?.includes(id))) },
    boardTtlS: options.boardTtlS ?? 3_600,
    observer: {
      changed: () => {},
      takenOver: (partition) => void takenOver.push(partition),
      idle: () => {},
      roundsClosed: () => {},
    },
  });
  return { standings, metrics, letters, takenOver };
}

/** The log's entries from sequence 1. */
export function stored(log: readonly Published[]): LogEntry[] {
  return log.map(({ subject, payload }, i) => ({
    subject: storedSubject(subject),
    sequence: i + 1,
    storedAtMs: 0,
    data: new TextEncoder().encode(payload),
  }));
}

/** Applies entries as one batch of a partition; returns the place that holds then. */
export async function apply(
  projection: Projection,
  partition: number,
  entries: readonly LogEntry[],
  generation = GENERATION,
): Promise<number> {
  const after = (entries[0]?.sequence ?? 1) - 1;
  const batch = { partition, after, entries, pending: 0 };
  return (await projection.apply(batch, generation)).position;
}

/** What the board shows, in the reference's form. A session without a board is an empty one. */
export async function shownBoard(redis: Redis, sessionId: string): Promise<ReferenceBoard> {
  const boards = new RedisBoards(redis);
  const board = await boards.read(sessionId, { kind: "top", size: 2_000 });
  if (typeof board === "string") return { rows: [], finalRound: 0, joined: 0, ended: false };
  const { finalRound, joined, ended } = board;
  const rows = board.rows.map(({ scorer, points, elapsedMs }) => ({
    playerId: scorer,
    points,
    elapsedMs,
  }));
  return { rows, finalRound, joined, ended };
}

/** The value of a counter, by its labels. */
export async function countOf(
  metrics: LeaderboardMetrics,
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const metric = await metrics.registry.getSingleMetric(name)?.get();
  const found = metric?.values.filter((value) =>
    Object.entries(labels).every(([label, text]) => value.labels[label] === text),
  );
  return (found ?? []).reduce((sum, { value }) => sum + value, 0);
}
