/** What a stored log entry does to a board, or why nobody can read it. */
import { nicknameKey, scorerKey } from "@fanfare/proto/addresses";
import { type Entry, readEntry as readStored, type Unreadable } from "@fanfare/proto/entries";
import type { AnswerBatch, PlayerBatch } from "@fanfare/proto/events/v1/events";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import { pack } from "./score-key.js";

/** What an entry does to the board of its session. */
export type Operation = { sessionId: string } & (
  | { kind: "created"; live: boolean }
  | { kind: "players"; joined: Joined[]; removed: Removed[] }
  | ({ kind: "scores"; round: number; lane: boolean; nameKey: string } & Scores)
  | { kind: "closed"; round: number; answers: number; points: bigint }
  | { kind: "ended" }
);

export interface Joined {
  playerId: string;
  nickname: string;
  /** As names are compared (addresses.ts: nicknameKey). */
  nameKey: string;
}

export interface Removed {
  playerId: string;
  nameKey: string;
  /** Off every board, with the name; who is kicked keeps the points. */
  banned: boolean;
  /** Where the session that it is about begins in the log; 0 where that is not said. */
  logStart: bigint;
}

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
        nameKey: nicknameKey(outsider),
        scorers: [scorerKey({ id: outsider, outside: true })],
        packed,
        points,
      };
    }
    case "answers":
      return {
        kind: "scores",
        sessionId,
        round,
        lane: true,
        nameKey: "",
        ...scoresOf(entry.batch),
      };
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
  const joined: Joined[] = [];
  const removed: Removed[] = [];
  for (const { change } of changes) {
    if (change.case === "joined") {
      const { playerId, nickname, nicknameKey: nameKey } = change.value;
      joined.push({ playerId, nickname, nameKey });
    }
    if (change.case === "removed") {
      const { playerId, nicknameKey: nameKey, status, logStart } = change.value;
      removed.push({ playerId, nameKey, banned: status === PlayerStatus.BANNED, logStart });
    }
  }
  return { joined, removed };
}
