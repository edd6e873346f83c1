/** What a stored log entry does to a board, or why nobody can read it. */
import { scorerKey } from "@fanfare/proto/addresses";
import { type Entry, readEntry as readStored, type Unreadable } from "@fanfare/proto/entries";
import type { AnswerBatch, PlayerBatch } from "@fanfare/proto/events/v1/events";
import { pack } from "./score-key.js";

/** What an entry does to the board of its session. */
export type Operation = { sessionId: string } & (
  | { kind: "created"; live: boolean }
  | { kind: "players"; joined: { playerId: string; nickname: string }[]; removed: string[] }
  | ({ kind: "scores"; round: number; lane: boolean } & Scores)
  | { kind: "closed"; round: number; answers: number; points: bigint }
  | { kind: "ended" }
);

/** Scores of one round: the n-th packed score is that of the n-th scorer, by key. */
export interface Scores {
  scorers: string[];
  packed: number[];
  /** Sum of all. */
  points: number;
}

/** Never throws. */
export function readEntry(stored: { subject: string; data: Uint8Array }): Operation | Unreadable {
  const entry = readStored(stored);
  return entry.kind === "unreadable" ? entry : operationOf(entry);
}

function operationOf(entry: Entry): Operation {
  const { sessionId, round } = entry;
  switch (entry.kind) {
    case "score": {
      const { outsider, points } = entry;
      const packed = [pack({ points, elapsedMs: 0 })];
      return {
        kind: "scores",
        sessionId,
        round,
        lane: false,
        scorers: [scorerKey({ id: outsider, outside: true })],
        packed,
        points,
      };
    }
    case "answers":
      return { kind: "scores", sessionId, round, lane: true, ...scoresOf(entry.batch) };
    case "players":
      return { kind: "players", sessionId, ...changesOf(entry.batch) };
    case "roundClosed": {
      const { answers, points } = entry.closed;
      return { kind: "closed", sessionId, round, answers, points };
    }
    case "sessionCreated":
      return { kind: "created", sessionId, live: entry.created.options?.liveBoard ?? false };
    case "sessionEnded":
      return { kind: "ended", sessionId };
  }
}

function scoresOf({ answers }: AnswerBatch): Scores {
  const scores: Scores = { scorers: [], packed: [], points: 0 };
  for (const { playerId, points, elapsedMs } of answers) {
    scores.scorers.push(playerId);
    scores.packed.push(pack({ points, elapsedMs }));
    scores.points += points;
  }
  return scores;
}

function changesOf({ changes }: PlayerBatch) {
  const joined: { playerId: string; nickname: string }[] = [];
  const removed: string[] = [];
  for (const { change } of changes) {
    if (change.case === "joined")
      joined.push({ playerId: change.value.playerId, nickname: change.value.nickname });
    if (change.case === "removed") removed.push(change.value.playerId);
  }
  return { joined, removed };
}
