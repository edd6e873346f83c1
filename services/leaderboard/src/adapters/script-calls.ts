/**
 * Cuts operations into calls of apply-entries.lua that each keep Redis busy for a few milliseconds
 * only, and writes a call's arguments.
 */
import type { Operation } from "../domain/read-entry.js";

/** An operation and where it stands in the log. */
export type PlacedOperation = Operation & { sequence: number; storedAtMs: number };

export interface ScriptCall {
  operations: PlacedOperation[];
  /** The place after it: entries without an operation are behind it, too. */
  last: number;
}

/** Some 3 µs each. A single entry with more goes in one call all the same: an entry is one step. */
const CALL_SCORES_MAX = 2_000;
/** Some 10 µs each, their scores apart. */
const CALL_OPERATIONS_MAX = 500;
/** Hidden scores that one call makes visible: some 3 µs each. */
export const CALL_REVEALS_MAX = 1_000;

/** At least one call; the last one ends at `last`. */
export function cutCalls(operations: readonly PlacedOperation[], last: number): ScriptCall[] {
  const calls: ScriptCall[] = [];
  let call: PlacedOperation[] = [];
  let scores = 0;
  for (const operation of operations) {
    const weight = operation.kind === "scores" ? operation.scorers.length : 0;
    const previous = call.at(-1);
    if (previous && (scores + weight > CALL_SCORES_MAX || call.length === CALL_OPERATIONS_MAX)) {
      calls.push({ operations: call, last: previous.sequence });
      call = [];
      scores = 0;
    }
    call.push(operation);
    scores += weight;
  }
  return [...calls, { operations: call, last }];
}

/** As apply-entries.lua reads them. */
export function operationArguments(operations: readonly PlacedOperation[]): (string | number)[] {
  const args: (string | number)[] = [];
  for (const operation of operations) {
    const own = ownArguments(operation);
    args.push(operation.kind, operation.sequence, operation.sessionId, own.length);
    for (const each of own) args.push(each);
  }
  return args;
}

function ownArguments(operation: Operation): (string | number)[] {
  switch (operation.kind) {
    case "created":
      return [operation.live ? 1 : 0];
    case "players":
      return [
        operation.joined.length,
        ...operation.joined.flatMap(({ playerId, nickname, nameKey }) => [
          playerId,
          nickname,
          nameKey,
        ]),
        ...operation.removed.flatMap(({ playerId, nameKey, banned, logStart }) => [
          playerId,
          nameKey,
          banned ? "banned" : "kicked",
          String(logStart),
        ]),
      ];
    case "scores":
      return [
        operation.round,
        operation.lane ? 1 : 0,
        operation.points,
        JSON.stringify(operation.scorers),
        JSON.stringify(operation.packed),
        operation.nameKey,
      ];
    case "closed":
      return [operation.round];
    case "ended":
      return [];
  }
}
