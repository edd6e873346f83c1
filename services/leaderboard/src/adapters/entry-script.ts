/**
 * Runs apply-entries.lua for the operations of a batch, and counts what it reports. What lies behind the
 * end of its session is passed over, with a letter for each score.
 */
import { inDbSpan } from "@fanfare/common/db-spans";
import type { DeadLetters, Letter } from "@fanfare/common/dead-letters";
import type { Logger } from "@fanfare/common/log";
import type { Batch } from "@fanfare/common/partition-reader";
import { BEHIND_END } from "@fanfare/proto/entries";
import type { LeaderboardMetrics } from "../metrics.js";
import type { EndedSessions } from "./ended-sessions.js";
import { partitionKeys, prefixOf } from "./partition-keys.js";
import type { RedisCommands } from "./redis-connection.js";
import { loadScript, runScript } from "./redis-scripts.js";
import {
  CALL_REVEALS_MAX,
  operationArguments,
  type PlacedOperation,
  type ScriptCall,
} from "./script-calls.js";

const APPLY = loadScript("apply-entries", ["boards", "bans"]);
const APPLYING = {
  system: "redis",
  operation: "EVALSHA",
  target: { script: "apply-entries" },
} as const;
/** Sessions without a board that are asked about at once. */
const ASKED_MAX = 50;

/** Why the script did not apply all it was given. */
const MAY_IT_BEGIN = 2;
const HAS_ENDED = 3;

/** What apply-entries.lua replies. */
type ApplyReply = [
  place: string | number,
  unfinished: number,
  laneScores: number,
  outsideScores: number,
  duplicates: number,
  audits: string[],
  asked: string,
];

export interface EntryScriptParts {
  redis: RedisCommands;
  deadLetters: Pick<DeadLetters, "publish">;
  ended: EndedSessions;
  /** Forgets the last snapshot of a session, which is of a board that is gone. Rejects; safe to repeat. */
  forgetSnapshot(sessionId: string): Promise<void>;
  metrics: LeaderboardMetrics;
  log: Logger;
  /** How long the board of an ended session stays. */
  boardTtlS: number;
}

/** Where a call is applied. */
export interface ScriptPlace {
  batch: Batch;
  /** The place that it follows. */
  after: number;
  /** Of the log, and the same with the form of the boards. */
  generation: string;
  boards: string;
}

export class EntryScript {
  constructor(private readonly parts: EntryScriptParts) {}

  /** Returns the place that holds then, and how many entries were passed over. */
  async apply(
    call: ScriptCall,
    { batch, after, generation, boards }: ScriptPlace,
  ): Promise<{ place: number; passedOver: number }> {
    const mayBegin = new Set<string>();
    let { operations } = call;
    let place = after;
    let passedOver = 0;
    for (;;) {
      const args = [boards, place, call.last, this.parts.boardTtlS, CALL_REVEALS_MAX];
      const reply = await this.#run(batch, [...args, JSON.stringify([...mayBegin])], operations);
      const [held, unfinished, , , , , asked] = reply;
      if (Number(held) !== call.last && unfinished === 0)
        return { place: Number(held), passedOver };
      place = Number(held);
      this.#report(
        operations.filter(({ sequence }) => sequence <= place),
        reply,
      );
      if (unfinished === 0) return { place, passedOver };
      operations = operations.filter(({ sequence }) => sequence > place);
      if (unfinished === MAY_IT_BEGIN && !(await this.#hasEnded(asked, operations, mayBegin)))
        continue;
      if (unfinished === MAY_IT_BEGIN || unfinished === HAS_ENDED) {
        const behind = behindEnd(operations, asked, unfinished === MAY_IT_BEGIN);
        // With a board it would be taken anew: now PostgreSQL alone has the rows without who was banned.
        if ([...behind].some(isBan)) await this.parts.forgetSnapshot(asked);
        passedOver += await this.#passOver(batch, behind, generation);
        operations = operations.filter((operation) => !behind.has(operation));
      }
    }
  }

  async #run(
    { partition, span }: Batch,
    args: readonly (string | number)[],
    operations: readonly PlacedOperation[],
  ): Promise<ApplyReply> {
    const all = [prefixOf(partition), ...args, ...operationArguments(operations)];
    const run = () => runScript(this.parts.redis, APPLY, partitionKeys(partition), all);
    return (await inDbSpan(span, APPLYING, run)) as ApplyReply;
  }

  /** Asks about a session without a board, and others that may be asked about next. */
  async #hasEnded(
    asked: string,
    operations: readonly PlacedOperation[],
    mayBegin: Set<string>,
  ): Promise<boolean> {
    const first = new Map<string, string>();
    for (const { sessionId, kind } of operations)
      if (!first.has(sessionId)) first.set(sessionId, kind);
    const others = [...first.keys()].filter(
      (id) => id !== asked && first.get(id) !== "created" && !mayBegin.has(id),
    );
    const ids = [asked, ...others].slice(0, ASKED_MAX);
    const over = await this.parts.ended.among(ids, operations[0]?.sequence ?? 0);
    for (const id of ids) if (!over.has(id)) mayBegin.add(id);
    return over.has(asked);
  }

  /** Letters first: a crash repeats them, where the other way round it would lose them. */
  async #passOver(
    { entries }: Batch,
    operations: ReadonlySet<PlacedOperation>,
    generation: string,
  ): Promise<number> {
    const late = new Set<number>();
    for (const operation of operations)
      if (operation.kind === "scores" && operation.scorers.length > 0) late.add(operation.sequence);
    const letters = entries
      .filter(({ sequence }) => late.has(sequence))
      .map((entry): Letter => ({ entry, fault: "ended", reason: BEHIND_END }));
    await this.parts.deadLetters.publish(letters, generation);
    return letters.length;
  }

  /** Takes what a call replied to the metrics and the audit. */
  #report(
    done: readonly PlacedOperation[],
    [, , laneScores, outsideScores, duplicates, audits]: ApplyReply,
  ): void {
    const { metrics } = this.parts;
    metrics.scores.inc({ result: "counted" }, laneScores);
    metrics.scores.inc({ result: "outside" }, outsideScores);
    metrics.scores.inc({ result: "duplicate" }, duplicates);
    this.#audit(done, audits);
  }

  /** Compares what the lanes brought for a round with what its close says that they hold. */
  #audit(done: readonly PlacedOperation[], audits: readonly string[]): void {
    const { metrics, log } = this.parts;
    const closes = new Map(done.map((operation) => [operation.sequence, operation]));
    for (let i = 0; i < audits.length; i += 3) {
      const close = closes.get(Number(audits[i]));
      if (close?.kind !== "closed") continue;
      const [answers = "0", points = "0"] = audits.slice(i + 1, i + 3);
      const agrees = Number(answers) === close.answers && BigInt(points) === close.points;
      metrics.auditRounds.inc();
      if (!agrees) metrics.auditMismatches.inc();
      log[agrees ? "debug" : "error"](
        {
          sessionId: close.sessionId,
          round: close.round,
          board: { answers, points },
          log: { answers: close.answers, points: String(close.points) },
        },
        agrees ? "round audited" : "round audit differs",
      );
    }
  }
}

function isBan(operation: PlacedOperation): boolean {
  return operation.kind === "players" && operation.removed.some(({ banned }) => banned);
}

/** A session's operations up to its next beginning: all of them, or scores alone. */
function behindEnd(
  operations: readonly PlacedOperation[],
  sessionId: string,
  all: boolean,
): ReadonlySet<PlacedOperation> {
  const behind = new Set<PlacedOperation>();
  for (const operation of operations) {
    if (operation.sessionId !== sessionId) continue;
    if (operation.kind === "created") break;
    if (all || operation.kind === "scores") behind.add(operation);
  }
  return behind;
}
