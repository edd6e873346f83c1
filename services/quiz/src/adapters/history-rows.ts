/** Entries of the log, in order, as rows for PostgreSQL. Pure. */
import { nicknameKey } from "@fanfare/proto/addresses";
import type { RoundClosed, SessionCreated } from "@fanfare/proto/events/v1/events";
import type { HistoryEntry } from "../domain/history-entry.js";

export interface SessionKey {
  sessionId: string;
  logStart: number;
}

type Timed = SessionKey & { sequence: number; storedAtMs: number };

export interface HistoryRows {
  sessions: (SessionKey & { created: SessionCreated | undefined; storedAtMs: number })[];
  players: (SessionKey & { playerId: string; nickname: string; user: string; joinedAt: string })[];
  removed: (SessionKey & { playerId: string; status: number })[];
  scores: (SessionKey & {
    round: number;
    playerId: string;
    points: number;
    /** 1, 0, or null: the driver takes no arrays of booleans or dates. */
    correct: number | null;
    choices: string;
    elapsedMs: number;
    submissionId: string;
    sequence: number;
    acceptedAt: string;
  })[];
  rounds: (SessionKey & { round: number; closed: RoundClosed; storedAtMs: number })[];
  ended: Timed[];
}

/** `starts` says which session an id means, and learns of those that begin in these entries. */
export function rowsOf(entries: readonly HistoryEntry[], starts: Map<string, number>): HistoryRows {
  const rows: HistoryRows = {
    sessions: [],
    players: [],
    removed: [],
    scores: [],
    rounds: [],
    ended: [],
  };
  for (const entry of entries) {
    const { sessionId, storedAtMs } = entry;
    const created = entry.kind === "created" ? entry.created : undefined;
    if (created || !starts.has(sessionId)) {
      starts.set(sessionId, created ? entry.sequence : 0);
      rows.sessions.push({ sessionId, logStart: starts.get(sessionId) ?? 0, created, storedAtMs });
    }
    add(rows, { sessionId, logStart: starts.get(sessionId) ?? 0 }, entry);
  }
  return rows;
}

function add(rows: HistoryRows, key: SessionKey, entry: HistoryEntry): void {
  const { round, sequence, storedAtMs } = entry;
  const acceptedAt = new Date(storedAtMs).toISOString();
  switch (entry.kind) {
    case "score":
      rows.scores.push({
        ...key,
        round,
        playerId: entry.playerId,
        points: entry.points,
        correct: null,
        choices: "",
        elapsedMs: 0,
        submissionId: "",
        sequence,
        acceptedAt,
      });
      break;
    case "answers":
      for (const { playerId, points, correct, choices, elapsedMs, submissionId } of entry.batch
        .answers)
        rows.scores.push({
          ...key,
          round,
          playerId,
          points,
          correct: correct ? 1 : 0,
          choices: choices.join(","),
          elapsedMs,
          submissionId,
          sequence,
          acceptedAt,
        });
      break;
    case "players":
      addPlayers(rows, key, entry.batch.changes, acceptedAt);
      break;
    case "roundClosed":
      rows.rounds.push({ ...key, round, closed: entry.closed, storedAtMs });
      break;
    case "ended":
      rows.ended.push({ ...key, sequence, storedAtMs });
      break;
    case "created":
      break;
  }
}

function addPlayers(
  rows: HistoryRows,
  key: SessionKey,
  changes: Extract<HistoryEntry, { kind: "players" }>["batch"]["changes"],
  joinedAt: string,
): void {
  for (const { change } of changes) {
    if (change.case === "joined") {
      const { playerId, nickname, user } = change.value;
      rows.players.push({
        ...key,
        playerId,
        nickname,
        user: user || nicknameKey(nickname),
        joinedAt,
      });
    }
    if (change.case === "removed") rows.removed.push({ ...key, ...change.value });
  }
}
