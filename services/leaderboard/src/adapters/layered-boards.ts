/**
 * Boards from Redis, or from PostgreSQL for sessions that have ended: where Redis has dropped them,
 * lost them or is away.
 */
import { ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { Boards } from "../domain/ports.js";

export function layeredBoards(live: Boards, final: Boards): Boards {
  return {
    async read(sessionId, selection) {
      const found = await orElse(
        async () => toOptional(await live.read(sessionId, selection)),
        async () => toOptional(await final.read(sessionId, selection)),
      );
      return found ?? "no such board";
    },
  };
}

function toOptional<T>(found: T | "no such board"): T | undefined {
  return found === "no such board" ? undefined : found;
}

/**
 * What the first store has, else what the second has. Where the first is out of reach and the second
 * has nothing, only the first would know: its UNAVAILABLE is thrown.
 */
export async function orElse<T>(
  first: () => Promise<T | undefined>,
  second: () => Promise<T | undefined>,
): Promise<T | undefined> {
  let fault: unknown;
  try {
    const found = await first();
    if (found !== undefined) return found;
  } catch (error) {
    if (!(error instanceof ServiceError) || error.reason !== ErrorReason.UNAVAILABLE) throw error;
    fault = error;
  }
  const found = await second();
  if (found === undefined && fault) throw fault;
  return found;
}
