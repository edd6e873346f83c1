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
import { BEHIND_END, readEntry } from "@fanfare/proto/entries";
import type { HistoryMetrics } from "../history-metrics.js";
import {
  closeRound,
  finalize,
  insertPlayers,
  insertScores,
  insertSessions,
  moveEnds,
  stand,
} from "./history-inserts.js";
import { type CurrentSession, type PlacedEntry, rowsOf } from "./history-rows.js";
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

/** Sessions of a partition that are kept in mind. */
const SESSIONS_KNOWN_MAX = 2_000;

/** Entries to write, and the place that moves with them. */
interface Step {
  partition: number;
  generation: string;
  after: number;
  last: number;
  entries: readonly PlacedEntry[];
  /** As the log has them. */
  stored: readonly LogEntry[];
  /** Counts what becomes of them. */
  tally: { passedOver: number };
  span: Span | undefined;
}

/** What a transaction has written, to be counted once it is committed. */
interface Written {
  rows: number;
  duplicates: number;
  audited: number;
  /** Entries whose scores came behind the end of their session. */
  late: number;
  /** Rounds whose recount differs from what the log says of them. */
  differing: { sessionId: string; round: number }[];
}

export class PostgresHistory implements Projection {
  readonly name = "history";
  /** Nobody waits for rows while a game goes on, and a transaction costs what a hundred rows cost. */
  readonly pace = {
    gatherMs: 400,
    companyMs: 100,
    checkPlaceEveryMs: 5_000,
    isUrgent: () => false,
  };
  /** The session that an id means now, by partition; read again after a failure. */
  readonly #current = new Map<number, Map<string, CurrentSession>>();

  constructor(private readonly parts: PostgresHistoryParts) {}

  async position(partition: number, generation: string): Promise<number> {
    this.#current.delete(partition);
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
      const tally = { passedOver: letters.length };
      const stored = batch.entries;
      const step = { partition, generation, after, last, entries, stored, tally, span };
      const position = await this.#write(step).catch((error: unknown) => {
        if (!isRefusal(error)) throw error;
        return this.#writeSingly(step);
      });
      if (position === last) this.#observe(batch);
      return { position, passedOver: tally.passedOver };
    } finally {
      end();
    }
  }

  /** Writes each entry in a transaction of its own, but those that PostgreSQL refuses. */
  async #writeSingly(step: Step): Promise<number> {
    let after = step.after;
    for (const entry of step.entries) {
      const one = { ...step, after, last: entry.sequence, entries: [entry] };
      const position = await this.#write(one).catch(async (error: unknown) => {
        if (!isRefusal(error)) throw error;
        step.tally.passedOver++;
        await this.#reportRefused(one, error);
        return this.#write({ ...one, entries: [] });
      });
      if (position !== entry.sequence) return position;
      after = position;
    }
    return after === step.last ? after : this.#write({ ...step, after, entries: [] });
  }

  async #reportRefused({ generation, last, stored }: Step, err: Error) {
    const entry = stored.find(({ sequence }) => sequence === last);
    if (!entry) return;
    const { sequence } = entry;
    // The subject may name an outside user: the dead letter has it.
    this.parts.log.error({ err, sequence }, "PostgreSQL refuses an entry: passed over");
    const letter = { entry, fault: "refused", reason: err.message };
    await this.parts.deadLetters.publish([letter], generation);
  }

  /** Letters go before the commit: a crash repeats them, where the other way round it would lose them. */
  async #passOver({ stored, generation }: Step, late: readonly number[]): Promise<void> {
    if (late.length === 0) return;
    const letters = stored
      .filter(({ sequence }) => late.includes(sequence))
      .map((entry): Letter => ({ entry, fault: "ended", reason: BEHIND_END }));
    await this.parts.deadLetters.publish(letters, generation);
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
      if (written) this.#count(written, step);
      else this.#current.delete(partition);
      return position;
    } catch (error) {
      this.#current.delete(partition);
      throw error;
    }
  }

  async #writeRows(tx: Tx, step: Step, places: LogPlaces): Promise<Written> {
    const { partition, entries } = step;
    const current = this.#current.get(partition) ?? new Map<string, CurrentSession>();
    await learnCurrent(tx, current, entries, places);
    const rows = rowsOf(entries, current, places.first);
    await insertSessions(tx, rows);
    await insertPlayers(tx, rows);
    const inserted = await insertScores(tx, rows);
    const duplicates = rows.scores.length - inserted;
    const late = rows.late.length;
    const written: Written = { rows: inserted, duplicates, audited: 0, differing: [], late };
    for (const round of rows.rounds) {
      written.audited++;
      const { postgres } = this.parts.metrics;
      const { sessionId, round: number } = round;
      if (!(await postgres.time("audit", () => closeRound(tx, round))))
        written.differing.push({ sessionId, round: number });
    }
    for (const session of rows.ended)
      await this.parts.metrics.postgres.time("finalize", () => finalize(tx, session));
    for (const session of rows.restand)
      await this.parts.metrics.postgres.time("finalize", () => stand(tx, session));
    await moveEnds(tx, rows);
    await this.#passOver(step, rows.late);
    // Whatever is forgotten is read again when it is met.
    if (current.size > SESSIONS_KNOWN_MAX) current.clear();
    this.#current.set(partition, current);
    return written;
  }

  #count({ rows, duplicates, audited, differing, late }: Written, { tally }: Step): void {
    tally.passedOver += late;
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

/**
 * Which session each id means, for ids that this process has not met: the newest of this log, or one of
 * an earlier log that has ended.
 */
async function learnCurrent(
  tx: Tx,
  current: Map<string, CurrentSession>,
  entries: readonly PlacedEntry[],
  { first, end }: LogPlaces,
): Promise<void> {
  const met = new Set(entries.map(({ sessionId }) => sessionId));
  const unknown = [...met].filter((id) => !current.has(id));
  if (unknown.length === 0) return;
  const rows = await tx`
    SELECT DISTINCT ON (session_id) session_id, log_start, created, ended_at IS NOT NULL AS ended
    FROM quiz.sessions
    WHERE session_id = ANY(${unknown}) AND log_start < ${end} AND (created OR ended_at IS NULL)
    ORDER BY session_id, log_start DESC`;
  for (const { session_id, log_start, created, ended } of rows)
    if (ended || Number(log_start) >= first)
      current.set(session_id, { logStart: Number(log_start), created, ended });
}
