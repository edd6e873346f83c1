/**
 * Cursors: where a page ended, as a place in the order and not as a number of rows, so that the next
 * page begins right there however scores have moved. Whatever is not one of ours reads as undefined.
 */
import { isScorerKey } from "@fanfare/proto/addresses";
import type { GlobalPlace, Place } from "./ports.js";

export function boardToken({ packed, scorer }: Place): string {
  return encode([packed, scorer]);
}

export function readBoardToken(token: string): Place | undefined {
  const [packed, scorer, ...rest] = decode(token);
  if (!isSafe(packed) || typeof scorer !== "string" || !isScorerKey(scorer)) return undefined;
  return rest.length === 0 ? { packed, scorer } : undefined;
}

export function globalToken({ points, rank, user }: GlobalPlace): string {
  return encode([points, rank, user]);
}

export function readGlobalToken(token: string): GlobalPlace | undefined {
  const [points, rank, user, ...rest] = decode(token);
  if (!isSafe(points) || !isSafe(rank) || rank < 1 || typeof user !== "string") return undefined;
  return rest.length === 0 && !user.includes("\0") ? { points, rank, user } : undefined;
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

function isSafe(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
