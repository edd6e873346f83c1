/**
 * Cursors: of which state of a board a page was, and where it ended. The next page is of the same state,
 * or refused: rows that move between two pages would be seen twice, or never. Whatever is not one of
 * ours reads as undefined.
 */
import type { GlobalPlace } from "./ports.js";

/** Largest rank that a token is made of: more players than a session or a tally will ever have. */
const RANK_MAX = 2 ** 40;

/** Rows up to this rank of a board in this state have been read. */
export interface BoardPlace {
  state: string;
  rank: number;
}

export function boardToken({ state, rank }: BoardPlace): string {
  return encode([state, rank]);
}

export function readBoardToken(token: string): BoardPlace | undefined {
  const [state, rank, ...rest] = decode(token);
  if (typeof state !== "string" || !isRank(rank)) return undefined;
  return rest.length === 0 ? { state, rank } : undefined;
}

export function globalToken({ state, points, rank, user }: GlobalPlace): string {
  return encode([state, points, rank, user]);
}

export function readGlobalToken(token: string): GlobalPlace | undefined {
  const [state, points, rank, user, ...rest] = decode(token);
  if (typeof state !== "string" || !/^\d{1,18}$/.test(state)) return undefined;
  if (!isPoints(points) || !isRank(rank) || typeof user !== "string") return undefined;
  return rest.length === 0 && !user.includes("\0") ? { state, points, rank, user } : undefined;
}

function encode(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** An empty list for what was not encoded here. */
function decode(token: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    return Array.isArray(parts) && encode(parts) === token ? parts : [];
  } catch {
    return [];
  }
}

function isRank(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= RANK_MAX;
}

function isPoints(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
