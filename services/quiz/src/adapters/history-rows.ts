/** Entries of the log, in order, as rows for PostgreSQL. Pure. */
import { nicknameKey, scorerKey } from "@fanfare/proto/addresses";
import type { Entry } from "@fanfare/proto/entries";
import type { PlayerChange, RoundClosed, SessionCreated } from "@fanfare/proto/events/v1/events";
import { ScoreColumns } from "./score-columns.js";

/** An entry and where it stands in its log. */
export type PlacedEntry = Entry & { sequence: number; storedAtMs: number };

export interface SessionKey {
  sessionId: string;
  /** Place of the session's first entry (log-places.ts). */
  logStart: number;
}

export type EndedSession = SessionKey & { logEnd: number; storedAtMs: number };

export interface HistoryRows {
  sessions: (SessionKey & { created: SessionCreated | undefined; storedAtMs: number })[];
  players: (SessionKey & { playerId: string; nickname: string; user: string; joinedAt: string })[];
  removed: (SessionKey & { playerId: string; status: number })[];
  scores: ScoreColumns;
  rounds: (SessionKey & { round: number; closed: RoundClosed; storedAtMs: number })[];
  ended: EndedSession[];
}

/**
 * `starts` says which session an id means, and learns of those that begin in these entries. The log's
 * places begin at `first`.
 */
export function rowsOf(
  entries: readonly PlacedEntry[],
  starts: Map<string, number>,
  first: number,
): HistoryRows {
  const rows: HistoryRows = {
    sessions: [],
    players: [],
    removed: [],
    scores: new ScoreColumns(),
    rounds: [],
    ended: [],
  };
  for (const entry of entries) {
    const { sessionId, storedAtMs } = entry;
    const created = entry.kind === "sessionCreated" ? entry.created : undefined;
    let logStart = starts.get(sessionId);
    if (created || logStart === undefined) {
      logStart = first + (created ? entry.sequence : 0);
      starts.set(sessionId, logStart);
      rows.sessions.push({ sessionId, logStart, created, storedAtMs });
    }
    add(rows, { sessionId, logStart }, first, entry);
  }
  return rows;
}

function add(rows: HistoryRows, key: SessionKey, first: number, entry: PlacedEntry): void {
  const { round, sequence, storedAtMs } = entry;
  const place = { ...key, round, sequence, storedAtMs };
  switch (entry.kind) {
    case "score": {
      const { outsider, points } = entry;
      const playerId = scorerKey({ id: outsider, outside: true });
      const bare = { playerId, points, choices: [], elapsedMs: 0, submissionId: "" };
      rows.scores.add(place, [bare]);
      break;
    }
    case "answers":
      rows.scores.add(place, entry.batch.answers);
      break;
    case "players":
      addPlayers(rows, key, entry.batch.changes, new Date(storedAtMs).toISOString());
      break;
    case "roundClosed":
      rows.rounds.push({ ...key, round, closed: entry.closed, storedAtMs });
      break;
    case "sessionEnded":
      rows.ended.push({ ...key, logEnd: first + sequence, storedAtMs });
      break;
    case "sessionCreated":
      break;
  }
}

function addPlayers(
  rows: HistoryRows,
  key: SessionKey,
  changes: readonly PlayerChange[],
  joinedAt: string,
): void {
  for (const { change } of changes) {
    if (change.case === "joined") {
      const { playerId, nickname, user } = change.value;
      rows.players.push({
        ...key,
        playerId,
        nickname,
        user: scorerKey({ id: user || nicknameKey(nickname), outside: false }),
        joinedAt,
      });
    }
    if (change.case === "removed") rows.removed.push({ ...key, ...change.value });
  }
}
