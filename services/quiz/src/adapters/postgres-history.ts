/**
 * The history projection: each batch of the log becomes rows in one transaction that also moves the
 * partition's place. So PostgreSQL holds exactly what lies before its place, whatever dies. An entry
 * that PostgreSQL itself refuses is passed over, loudly: it would hold up all behind it for ever.
 */
import { inDbSpan } from "@fanfare/common/db-spans";
import type { DeadLetters, Letter } from "@fanfare/common/dead-letters";
import type { Logger } from "@fanfare/common/log";
import type { Applied, Batch, LogEntry, Projection } from "@fanfare/common/partition-reader";
import type { Sql } from "@fanfare/common/postgres";
import type { Span } from "@fanfare/common/tracing";
import { readEntry } from "@fanfare/proto/entries";
import type { HistoryMetrics } from "../history-metrics.js";
import {
  closeRound,
  finalize,
  insertPlayers,
  insertScores,
  insertSessions,
} from "./history-inserts.js";
import { type PlacedEntry, rowsOf } from "./history-rows.js";
import { type LogPlaces, lockPosition, movePosition, type Tx } from "./log-places.js";

/**
 * PostgreSQL's words about the data itself: a value it can't hold (class 22), a constraint (23), a row
 * too large for its index (54). Trying again changes nothing, unlike for a lost connection, a full disk
 * or two transactions in each other's way.
 */
const REFUSED = /^(22|23|54)[0-9A-Z]{3}$/;

/** The whole transaction, from its begin to its commit. */
const WRITING = {
  system: "postgresql",
  operation: "INSERT",
  target: { table: "quiz.quiz_history" },
} as const;

export interface PostgresHistoryParts {
  sql: Sql;
  deadLetters: Pick<DeadLetters, "publish">;
  metrics: HistoryMetrics;
  log: Logger;
}

/** Entries to write, and the place that moves with them. */
interface Step {
  partition: number;
  generation: string;
  after: number;
  last: number;
  entries: readonly PlacedEntry[];
  span: Span | undefined;
}

/** What a transaction has written, to be counted once it is committed. */
interface Written {
  rows: number;
  duplicates: number;
  audited: number;
  /** Rounds whose recount differs from what the log says of them. */
  differing: { sessionId: string; round: number }[];
}

export class PostgresHistory implements Projection {
  readonly name = "history";
  readonly pace = { gatherMs: 100, checkPlaceEveryMs: 5_000, isUrgent: () => false };
  /** Place where the session that an id means now begins, by partition; read again after a failure. */
  readonly #starts = new Map<number, Map<string, number>>();

  constructor(private readonly parts: PostgresHistoryParts) {}

  async position(partition: number, generation: string): Promise<number> {
    this.#starts.delete(partition);
    const { sql, metrics } = this.parts;
    const [row] = await metrics.postgres.time(
      "position",
      () => sql`
        SELECT sequence FROM quiz.positions
        WHERE generation = ${generation} AND partition = ${partition}`,
    );
    return Number(row?.sequence ?? 0);
  }

  async apply(batch: Batch, generation: string): Promise<Applied> {
    const { deadLetters, metrics } = this.parts;
    const end = metrics.batchSeconds.startTimer();
    try {
      const { partition, after, span } = batch;
      const { entries, letters } = readBatch(batch.entries);
      if (letters.length > 0) await deadLetters.publish(letters, generation);
      const last = batch.entries.at(-1)?.sequence ?? after;
      const step = { partition, generation, after, last, entries, span };
      let refused = 0;
      const position = await this.#write(step).catch((error: unknown) => {
        if (!isRefusal(error)) throw error;
        return this.#writeSingly(step, batch.entries, () => refused++);
      });
      if (position === last) this.#observe(batch);
      return { position, passedOver: letters.length + refused };
    } finally {
      end();
    }
  }

  /** Writes each entry in a transaction of its own, but those that PostgreSQL refuses. */
  async #writeSingly(
    step: Step,
    stored: readonly LogEntry[],
    onRefused: () => void,
  ): Promise<number> {
    let after = step.after;
    for (const entry of step.entries) {
      const one = { ...step, after, last: entry.sequence, entries: [entry] };
      const position = await this.#write(one).catch(async (error: unknown) => {
        if (!isRefusal(error)) throw error;
        onRefused();
        await this.#reportRefused(stored, one, error);
        return this.#write({ ...one, entries: [] });
      });
      if (position !== entry.sequence) return position;
      after = position;
    }
    return after === step.last ? after : this.#write({ ...step, after, entries: [] });
  }

  async #reportRefused(stored: readonly LogEntry[], { generation, last }: Step, err: Error) {
    const entry = stored.find(({ sequence }) => sequence === last);
    if (!entry) return;
    const { sequence } = entry;
    // The subject may name an outside user: the dead letter has it.
    this.parts.log.error({ err, sequence }, "PostgreSQL refuses an entry: passed over");
    const letter = { entry, fault: "refused", reason: err.message };
    await this.parts.deadLetters.publish([letter], generation);
  }

  /** Writes entries and moves the place behind them, or does nothing; says which place holds. */
  async #write(step: Step): Promise<number> {
    const { partition, generation, after, last, span } = step;
    let written: Written | undefined;
    try {
      const { sql, metrics } = this.parts;
      const transaction = () =>
        metrics.transaction(sql, async (tx) => {
          const { sequence, places } = await lockPosition(tx, partition, generation);
          if (sequence !== after) return sequence;
          written = await this.#writeRows(tx, step, places);
          await movePosition(tx, partition, generation, last);
          return last;
        });
      const position = await metrics.postgres.time("write batch", () =>
        inDbSpan(span, WRITING, transaction),
      );
      if (written) this.#count(written);
      else this.#starts.delete(partition);
      return position;
    } catch (error) {
      this.#starts.delete(partition);
      throw error;
    }
  }

  async #writeRows(tx: Tx, { partition, entries }: Step, places: LogPlaces): Promise<Written> {
    const starts = this.#starts.get(partition) ?? new Map<string, number>();
    await learnStarts(tx, starts, entries, places);
    const rows = rowsOf(entries, starts, places.first);
    await insertSessions(tx, rows);
    await insertPlayers(tx, rows);
    const inserted = await insertScores(tx, rows);
    const duplicates = rows.scores.length - inserted;
    const written: Written = { rows: inserted, duplicates, audited: 0, differing: [] };
    for (const round of rows.rounds) {
      written.audited++;
      const { postgres } = this.parts.metrics;
      const { sessionId, round: number } = round;
      if (!(await postgres.time("audit", () => closeRound(tx, round))))
        written.differing.push({ sessionId, round: number });
    }
    for (const session of rows.ended)
      await this.parts.metrics.postgres.time("finalize", () => finalize(tx, session));
    this.#starts.set(partition, starts);
    return written;
  }

  #count({ rows, duplicates, audited, differing }: Written): void {
    const { metrics, log } = this.parts;
    metrics.rows.inc(rows);
    metrics.duplicates.inc(duplicates);
    metrics.auditedRounds.inc(audited);
    metrics.auditMismatches.inc(differing.length);
    for (const round of differing) log.error(round, "round audit differs");
  }

  #observe({ entries }: Batch): void {
    const stored = entries[0]?.storedAtMs;
    if (stored === undefined) return;
    this.parts.metrics.lagSeconds.observe(Math.max(0, Date.now() - stored) / 1_000);
  }
}

function isRefusal(error: unknown): error is Error {
  const { name, code } = error as { name?: unknown; code?: unknown };
  return name === "PostgresError" && typeof code === "string" && REFUSED.test(code);
}

/** What can be read, in order, and letters about the rest. */
function readBatch(stored: readonly LogEntry[]) {
  const entries: PlacedEntry[] = [];
  const letters: Letter[] = [];
  for (const entry of stored) {
    const { sequence, storedAtMs } = entry;
    const read = readEntry(entry);
    if (read.kind === "unreadable") letters.push({ entry, fault: read.fault, reason: read.reason });
    else entries.push(Object.assign(read, { sequence, storedAtMs }));
  }
  return { entries, letters };
}

/** Which session each id means in this log, for ids that this process has not met. */
async function learnStarts(
  tx: Tx,
  starts: Map<string, number>,
  entries: readonly PlacedEntry[],
  { first, end }: LogPlaces,
): Promise<void> {
  const met = new Set(entries.map(({ sessionId }) => sessionId));
  const unknown = [...met].filter((id) => !starts.has(id));
  if (unknown.length === 0) return;
  const rows = await tx`
    SELECT session_id, max(log_start) AS log_start FROM quiz.sessions
    WHERE session_id = ANY(${unknown}) AND log_start >= ${first} AND log_start < ${end}
    GROUP BY session_id`;
  for (const row of rows) starts.set(row.session_id, Number(row.log_start));
}
