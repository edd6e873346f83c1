/** Entries of the log, in order, as rows for PostgreSQL. Pure. */
import { nicknameKey } from "@fanfare/proto/addresses";
import type { RoundClosed, ScoredAnswer, SessionCreated } from "@fanfare/proto/events/v1/events";
import type { HistoryEntry } from "../domain/history-entry.js";

export interface SessionKey {
  sessionId: string;
  logStart: number;
}

type Timed = SessionKey & { sequence: number; storedAtMs: number };

/** Scores by column, as the insert takes them: a row object for each would cost more than the rest. */
export class ScoreColumns {
  readonly sessionId: string[] = [];
  readonly logStart: number[] = [];
  readonly round: number[] = [];
  readonly playerId: string[] = [];
  readonly points: number[] = [];
  /** 1, 0, or null: the driver takes no arrays of booleans or dates. */
  readonly correct: (number | null)[] = [];
  readonly choices: string[] = [];
  readonly elapsedMs: number[] = [];
  readonly submissionId: string[] = [];
  readonly sequence: number[] = [];
  readonly acceptedAt: string[] = [];

  get length(): number {
    return this.playerId.length;
  }

  /** Adds one score; `answer` is missing for what an outsider published. */
  push(place: ScorePlace, playerId: string, points: number, answer?: ScoredAnswer): void {
    this.sessionId.push(place.sessionId);
    this.logStart.push(place.logStart);
    this.round.push(place.round);
    this.playerId.push(playerId);
    this.points.push(points);
    this.correct.push(answer ? Number(answer.correct) : null);
    this.choices.push(answer?.choices.join(",") ?? "");
    this.elapsedMs.push(answer?.elapsedMs ?? 0);
    this.submissionId.push(answer?.submissionId ?? "");
    this.sequence.push(place.sequence);
    this.acceptedAt.push(place.acceptedAt);
  }
}

type ScorePlace = SessionKey & { round: number; sequence: number; acceptedAt: string };

export interface HistoryRows {
  sessions: (SessionKey & { created: SessionCreated | undefined; storedAtMs: number })[];
  players: (SessionKey & { playerId: string; nickname: string; user: string; joinedAt: string })[];
  removed: (SessionKey & { playerId: string; status: number })[];
  scores: ScoreColumns;
  rounds: (SessionKey & { round: number; closed: RoundClosed; storedAtMs: number })[];
  ended: Timed[];
}

/** `starts` says which session an id means, and learns of those that begin in these entries. */
export function rowsOf(entries: readonly HistoryEntry[], starts: Map<string, number>): HistoryRows {
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
      rows.scores.push({ ...key, round, sequence, acceptedAt }, entry.playerId, entry.points);
      break;
    case "answers": {
      const place = { ...key, round, sequence, acceptedAt };
      for (const answer of entry.batch.answers)
        rows.scores.push(place, answer.playerId, answer.points, answer);
      break;
    }
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
