/** What a room's record and board look like on the socket. Pure: facts in, frame contents out. */
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { LeaderboardChanged } from "@fanfare/proto/events/v1/events";
import type { Standing } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import type { ServerFrameInit } from "./frame-codec.js";

const BOARD_ROWS = 10;
/** Rows of the podium: as many as get points on the global leaderboard. */
const PODIUM_ROWS = 5;

/** The current question; undefined where the record holds none. */
export function questionFrame(session: Session): ServerFrameInit | undefined {
  const { round, rounds, question, timeLimitMs, phaseStartedAt, phaseEndsAt } = session;
  if (!question) return undefined;
  const reading = session.phase === Phase.READING;
  const optionsAt = reading
    ? phaseEndsAt
    : phaseStartedAt && timestampFromMs(timestampMs(phaseStartedAt) - session.elapsedBeforeMs);
  const closesAt = session.phase === Phase.OPEN ? phaseEndsAt : undefined;
  return {
    case: "question",
    value: {
      round,
      rounds,
      question,
      timeLimitMs,
      ...(optionsAt ? { opensAt: optionsAt } : {}),
      ...(closesAt ? { closesAt } : {}),
    },
  };
}

export function revealFrame(session: Session): ServerFrameInit | undefined {
  const { round, reveal, phaseEndsAt } = session;
  if (!reveal) return undefined;
  return {
    case: "reveal",
    value: { round, reveal, ...(phaseEndsAt ? { nextAt: phaseEndsAt } : {}) },
  };
}

export function pausedFrame(session: Session): ServerFrameInit {
  return { case: "paused", value: { remainingMs: session.pausedRemainingMs } };
}

export function boardFrame(
  board: LeaderboardChanged | undefined,
  session: Session | undefined,
  stale: boolean,
): ServerFrameInit {
  const { epoch = 0n, version = 0n, players = 0, finalRound = 0 } = board ?? {};
  const standings = board?.standings.slice(0, boardSize(session)) ?? [];
  return { case: "board", value: { epoch, version, standings, players, finalRound, stale } };
}

export function endedFrame(
  sessionId: string,
  board: LeaderboardChanged | undefined,
): ServerFrameInit {
  const podium = board?.standings.slice(0, PODIUM_ROWS) ?? [];
  return { case: "ended", value: { podium, boardPath: `/livescore/${sessionId}` } };
}

export function lobbyValue(session: Session, board: LeaderboardChanged | undefined) {
  return { players: board?.joined ?? 0, locked: session.locked };
}

/** Answers counted in the open round; undefined where none is open or the board is not there yet. */
export function progressValue(session: Session, board: LeaderboardChanged | undefined) {
  const { round } = session;
  const counting = session.phase === Phase.OPEN || session.phase === Phase.CLOSING;
  if (!counting || !board || board.round > round) return undefined;
  // The board comes to a round with its first answer.
  return { round, answers: board.round === round ? board.answers : 0, players: board.joined };
}

export function boardSize(session: Session | undefined): number {
  return session?.options?.boardSize || BOARD_ROWS;
}

/** What a board at /livescore is of: `unknown` where no session and no score ever had this id. */
export function liveStateOf(
  board: LeaderboardChanged | undefined,
  session: Session | undefined,
): "unknown" | "lobby" | "live" | "ended" {
  if (session ? session.phase === Phase.ENDED : board?.ended) return "ended";
  if (session?.phase === Phase.LOBBY) return "lobby";
  return session || board ? "live" : "unknown";
}

/** A row of /livescore as people's scripts know it: keys in this order, ranks distinct. */
export function liveScoreRow({ playerId, nickname, points, rank }: Standing): string {
  return JSON.stringify({ PlayerID: nickname || playerId, Score: points, Rank: rank });
}

/** Whether the first `count` rows say the same. */
export function sameRows(a: readonly Standing[], b: readonly Standing[], count: number): boolean {
  const rows = Math.min(count, Math.max(a.length, b.length));
  for (let i = 0; i < rows; i++) {
    const [x, y] = [a[i], b[i]];
    if (!x || !y || x.playerId !== y.playerId || x.outside !== y.outside) return false;
    if (x.points !== y.points) return false;
    if (x.rank !== y.rank || x.elapsedMs !== y.elapsedMs || x.nickname !== y.nickname) return false;
  }
  return true;
}

/** Whether `a` comes after `b` in the life of a board. */
export function isNewer(
  a: { epoch: bigint; version: bigint },
  b: { epoch: bigint; version: bigint } | undefined,
): boolean {
  if (!b) return true;
  return a.epoch === b.epoch ? a.version > b.version : a.epoch > b.epoch;
}
