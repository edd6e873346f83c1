/**
 * What a board must show, worked out in the plainest way from a whole log: every property test
 * compares the projection with this.
 */
import { nicknameKey, readStoredSubject, storedSubject } from "@fanfare/proto/addresses";
import type { Published } from "./events.js";

export interface ReferenceRow {
  /** By key: an outsider is somebody else than the player of that id. */
  playerId: string;
  points: number;
  elapsedMs: number;
}

export interface ReferenceBoard {
  rows: ReferenceRow[];
  finalRound: number;
  joined: number;
  ended: boolean;
}

interface Session {
  created: boolean;
  live: boolean;
  /** `round scorer` of everybody who has scored. */
  scored: Set<string>;
  scores: { round: number; playerId: string; points: number; elapsedMs: number }[];
  finalRound: number;
  joined: Set<string>;
  removed: Set<string>;
  /** Everybody's names, as names are compared. */
  names: Map<string, string>;
  bannedNames: Set<string>;
  ended: boolean;
}

/** Boards by session id. */
export function referenceBoards(log: readonly Published[]): Map<string, ReferenceBoard> {
  const sessions = new Map<string, Session>();
  for (const published of log) apply(sessions, published);
  return new Map([...sessions].map(([id, session]) => [id, show(session)]));
}

function newSession(options: { created: boolean; live: boolean }): Session {
  return {
    ...options,
    scored: new Set(),
    scores: [],
    finalRound: 0,
    joined: new Set(),
    removed: new Set(),
    names: new Map(),
    bannedNames: new Set(),
    ended: false,
  };
}

function apply(sessions: Map<string, Session>, { subject, payload }: Published): void {
  const address = readStoredSubject(storedSubject(subject));
  if (typeof address === "string") return;
  const { sessionId, round } = address;
  const isDecimal = /^-?\d+$/.test(payload);
  if (address.kind === "score" && !isDecimal) return;
  const content = isDecimal ? {} : JSON.parse(payload);
  const isScore = address.kind === "score" || address.kind === "answers";
  const known = sessions.get(sessionId);
  // Behind the end of a session nothing counts; where nobody created it, another one begins.
  if (known?.ended && known.created && isScore) return;
  const isOver = known?.ended && isScore;
  const session = (!isOver && known) || newSession({ created: false, live: false });
  sessions.set(sessionId, session);
  const score = (scorer: string, points: number, elapsedMs: number) => {
    if (session.scored.has(`${round} ${scorer}`)) return;
    session.scored.add(`${round} ${scorer}`);
    session.scores.push({ round, playerId: scorer, points, elapsedMs });
  };
  switch (address.kind) {
    case "sessionCreated": {
      const live = content.options?.liveBoard ?? false;
      sessions.set(sessionId, newSession({ created: true, live }));
      break;
    }
    case "score":
      // Where nobody was created there are no players to be banned.
      if (session.created) session.names.set(`@${address.outsider}`, nicknameKey(address.outsider));
      score(`@${address.outsider}`, Number(payload), 0);
      break;
    case "answers":
      for (const { playerId, points = 0, elapsedMs = 0 } of content.answers ?? [])
        score(playerId, points, elapsedMs);
      break;
    case "players":
      for (const { joined, removed } of content.changes ?? []) {
        if (joined) session.joined.add(joined.playerId);
        if (joined) session.names.set(joined.playerId, joined.nicknameKey);
        if (removed) session.removed.add(removed.playerId);
        if (removed?.status === "PLAYER_STATUS_BANNED")
          session.bannedNames.add(removed.nicknameKey);
      }
      break;
    case "roundClosed":
      session.finalRound = Math.max(session.finalRound, round);
      break;
    case "sessionEnded":
      session.ended = true;
  }
}

function show(session: Session): ReferenceBoard {
  const { created, live, finalRound, ended } = session;
  const totals = new Map<string, ReferenceRow>();
  for (const { round, playerId, points, elapsedMs } of session.scores) {
    if (created && !live && !ended && round > finalRound) continue;
    // A ban takes the name off, and with it whoever goes or went by it.
    if (session.bannedNames.has(session.names.get(playerId) ?? "")) continue;
    const row = totals.get(playerId) ?? { playerId, points: 0, elapsedMs: 0 };
    row.points += points;
    row.elapsedMs += elapsedMs;
    totals.set(playerId, row);
  }
  const rows = [...totals.values()].sort(
    (a, b) =>
      b.points - a.points ||
      a.elapsedMs - b.elapsedMs ||
      Buffer.compare(Buffer.from(a.playerId), Buffer.from(b.playerId)),
  );
  return { rows, finalRound, joined: session.joined.size - session.removed.size, ended };
}
