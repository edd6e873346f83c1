/** Entries of the log, in order, as rows for PostgreSQL. Pure. */
import { nicknameKey, scorerKey, userOfNickname } from "@fanfare/proto/addresses";
import type { Entry } from "@fanfare/proto/entries";
import type { PlayerChange, RoundClosed, SessionCreated } from "@fanfare/proto/events/v1/events";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import { ScoreColumns } from "./score-columns.js";

/** An entry and where it stands in its log. */
export type PlacedEntry = Entry & { sequence: number; storedAtMs: number };

export interface SessionKey {
  sessionId: string;
  /** Place of the session's first entry (log-places.ts). */
  logStart: number;
}

export type EndedSession = SessionKey & { logEnd: number; storedAtMs: number };

/** The session that an id means now. */
export interface CurrentSession {
  logStart: number;
  /** Somebody created it: outsiders do not score in it alone. */
  created: boolean;
  /** It was created and has ended: it takes no scores any more. */
  ended: boolean;
}

export interface HistoryRows {
  sessions: (SessionKey & { created: SessionCreated | undefined; storedAtMs: number })[];
  players: (SessionKey & {
    playerId: string;
    nickname: string;
    nicknameKey: string;
    user: string;
    joinedAt: string;
  })[];
  removed: (SessionKey & { playerId: string; status: number })[];
  scores: ScoreColumns;
  rounds: (SessionKey & { round: number; closed: RoundClosed; storedAtMs: number })[];
  ended: EndedSession[];
  /** Ended sessions that somebody had to leave since: their final standings are made again. */
  restand: SessionKey[];
  /** Entries behind the end of their session, by its place. */
  behind: (SessionKey & { logEnd: number })[];
  /** Sequences of those among them that bring scores: they do not count. */
  late: number[];
}

/**
 * `current` says which session an id means, and learns of those that begin and end in these entries. The
 * log's places begin at `first`.
 */
export function rowsOf(
  entries: readonly PlacedEntry[],
  current: Map<string, CurrentSession>,
  first: number,
): HistoryRows {
  const rows: HistoryRows = {
    sessions: [],
    players: [],
    removed: [],
    scores: new ScoreColumns(),
    rounds: [],
    ended: [],
    restand: [],
    behind: [],
    late: [],
  };
  for (const entry of entries) {
    const { sessionId, storedAtMs } = entry;
    const created = entry.kind === "sessionCreated" ? entry.created : undefined;
    let session = current.get(sessionId);
    if (created || session === undefined) {
      const logStart = first + entry.sequence;
      session = { logStart, created: created !== undefined, ended: false };
      current.set(sessionId, session);
      rows.sessions.push({ sessionId, logStart: session.logStart, created, storedAtMs });
    }
    const key = { sessionId, logStart: session.logStart };
    if (session.logStart < first) {
      // Of a log before this one: all that is left to say is that it takes no scores.
      if (bringsScores(entry)) rows.late.push(entry.sequence);
      continue;
    }
    if (session.ended) rows.behind.push({ ...key, logEnd: first + entry.sequence });
    const removals = rows.removed.length;
    if (session.ended && bringsScores(entry)) rows.late.push(entry.sequence);
    else add(rows, key, first, entry);
    const gone = rows.removed.slice(removals);
    if (session.ended && gone.some(({ status }) => status === PlayerStatus.BANNED))
      rows.restand.push(key);
    if (entry.kind !== "sessionEnded") continue;
    // Where outsiders alone scored, what they score after its end is of another session.
    if (session.created) session.ended = true;
    else current.delete(sessionId);
  }
  return rows;
}

function bringsScores(entry: Entry): boolean {
  return entry.kind === "score" || (entry.kind === "answers" && entry.batch.answers.length > 0);
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
      addPlayers(rows, key, entry.batch.changes, { first, storedAtMs });
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
  { first, storedAtMs }: { first: number; storedAtMs: number },
): void {
  const joinedAt = new Date(storedAtMs).toISOString();
  for (const { change } of changes) {
    if (change.case === "joined") {
      const { playerId, nickname, user } = change.value;
      rows.players.push({
        ...key,
        playerId,
        nickname,
        nicknameKey: change.value.nicknameKey || nicknameKey(nickname),
        user: scorerKey({ id: user || userOfNickname(nickname), outside: false }),
        joinedAt,
      });
    }
    if (change.case === "removed") {
      const { playerId, status, logStart } = change.value;
      // One that was held up is about a session of before.
      if (logStart === 0n || first + Number(logStart) === key.logStart)
        rows.removed.push({ ...key, playerId, status });
    }
  }
}
