/**
 * The history projection: each batch of the log becomes rows in one transaction that also moves the
 * partition's place. So PostgreSQL holds exactly what lies before its place, whatever dies.
 */
import { toJson } from "@bufbuild/protobuf";
import type { Batch, Projection } from "@fanfare/common/partition-reader";
import type { Sql } from "@fanfare/common/postgres";
import { SessionOptionsSchema } from "@fanfare/proto/quiz/v1/session";
import { type HistoryEntry, readHistoryEntry } from "../domain/history-entry.js";
import type { HistoryMetrics } from "../history-metrics.js";
import { type HistoryRows, rowsOf, type SessionKey } from "./history-rows.js";

type Tx = Parameters<Parameters<Sql["begin"]>[1]>[0];

export class PostgresHistory implements Projection {
  readonly name = "history";
  readonly pace = { gatherMs: 100, checkPlaceEveryMs: 5_000 };
  /** Start of the session that an id means now, by partition; read again after a failure. */
  readonly #starts = new Map<number, Map<string, number>>();

  constructor(
    private readonly sql: Sql,
    private readonly metrics: HistoryMetrics,
  ) {}

  async position(partition: number, generation: string): Promise<number> {
    this.#starts.delete(partition);
    const [row] = await this.sql`
      SELECT sequence FROM quiz.positions
      WHERE generation = ${generation} AND partition = ${partition}`;
    return Number(row?.sequence ?? 0);
  }

  async apply(batch: Batch, generation: string): Promise<{ position: number }> {
    const end = this.metrics.batchSeconds.startTimer();
    const entries = batch.entries
      .map(readHistoryEntry)
      .filter((entry): entry is HistoryEntry => entry !== undefined);
    const last = batch.entries.at(-1)?.sequence ?? batch.after;
    try {
      const position = await this.sql.begin(async (tx) => {
        const held = await lockPosition(tx, batch.partition, generation);
        if (held !== batch.after) return held;
        await this.#write(tx, batch.partition, entries);
        await tx`
          UPDATE quiz.positions SET sequence = ${last}
          WHERE generation = ${generation} AND partition = ${batch.partition}`;
        return last;
      });
      if (position === last) this.#count(batch);
      else this.#starts.delete(batch.partition);
      return { position };
    } catch (error) {
      this.#starts.delete(batch.partition);
      throw error;
    } finally {
      end();
    }
  }

  async #write(tx: Tx, partition: number, entries: readonly HistoryEntry[]): Promise<void> {
    const starts = this.#starts.get(partition) ?? new Map<string, number>();
    await this.#learnStarts(tx, starts, entries);
    const rows = rowsOf(entries, starts);
    await insertSessions(tx, rows);
    await insertPlayers(tx, rows);
    const written = await insertScores(tx, rows);
    this.metrics.rows.inc(written);
    this.metrics.duplicates.inc(rows.scores.length - written);
    await this.#closeRounds(tx, rows);
    for (const session of rows.ended) await finalize(tx, session);
    this.#starts.set(partition, starts);
  }

  /** Which session each id means, for ids that this process has not met. */
  async #learnStarts(
    tx: Tx,
    starts: Map<string, number>,
    entries: readonly HistoryEntry[],
  ): Promise<void> {
    const unknown = [...new Set(entries.map(({ sessionId }) => sessionId))].filter(
      (id) => !starts.has(id),
    );
    if (unknown.length === 0) return;
    const rows = await tx`
      SELECT session_id, max(log_start) AS log_start FROM quiz.sessions
      WHERE session_id = ANY(${unknown}) GROUP BY session_id`;
    for (const row of rows) starts.set(row.session_id, Number(row.log_start));
  }

  /** The online audit (P12): a closed round must hold what its lanes held when they were closed. */
  async #closeRounds(tx: Tx, rows: HistoryRows): Promise<void> {
    for (const { sessionId, logStart, round, closed, storedAtMs } of rows.rounds) {
      const [sum] = await tx`
        SELECT count(*)::int AS answers, coalesce(sum(points), 0)::bigint AS points
        FROM quiz.quiz_history
        WHERE session_id = ${sessionId} AND log_start = ${logStart} AND round = ${round}
          AND correct IS NOT NULL`;
      this.metrics.auditedRounds.inc();
      if (sum?.answers !== closed.answers || BigInt(sum?.points ?? 0) !== closed.points)
        this.metrics.auditMismatches.inc();
      await tx`
        INSERT INTO quiz.rounds VALUES (${sessionId}, ${logStart}, ${round}, ${closed.answers},
          ${String(closed.points)}, ${tx.json(closed.distribution.map(({ choice, count }) => ({ choice, count })))},
          ${new Date(storedAtMs)})
        ON CONFLICT DO NOTHING`;
    }
  }

  #count(batch: Batch): void {
    this.metrics.pending.set({ partition: batch.partition }, batch.pending);
    const stored = batch.entries[0]?.storedAtMs;
    if (stored !== undefined)
      this.metrics.lagSeconds.observe(Math.max(0, Date.now() - stored) / 1_000);
  }
}

async function lockPosition(tx: Tx, partition: number, generation: string): Promise<number> {
  await tx`
    INSERT INTO quiz.positions VALUES (${generation}, ${partition}, 0) ON CONFLICT DO NOTHING`;
  const [row] = await tx`
    SELECT sequence FROM quiz.positions
    WHERE generation = ${generation} AND partition = ${partition} FOR UPDATE`;
  return Number(row?.sequence ?? 0);
}

async function insertSessions(tx: Tx, { sessions }: HistoryRows): Promise<void> {
  for (const { sessionId, logStart, created, storedAtMs } of sessions) {
    const options = created?.options ? toJson(SessionOptionsSchema, created.options) : {};
    await tx`
      INSERT INTO quiz.sessions (session_id, log_start, title, rounds, host, options, created_at)
      VALUES (${sessionId}, ${logStart}, ${created?.title ?? ""}, ${created?.rounds ?? 0},
        ${created?.host ?? ""}, ${tx.json(options as never)}, ${new Date(storedAtMs)})
      ON CONFLICT DO NOTHING`;
  }
}

async function insertPlayers(tx: Tx, { players, removed }: HistoryRows): Promise<void> {
  if (players.length > 0) {
    const column = <K extends keyof (typeof players)[number]>(name: K) =>
      players.map((player) => player[name]);
    // Ordered, so that two transactions that meet the same users never wait for each other in a ring.
    await tx`
      INSERT INTO quiz.users
      SELECT DISTINCT ON (user_key) user_key, nickname, joined_at::timestamptz
      FROM unnest(${column("user")}::text[], ${column("nickname")}::text[],
        ${column("joinedAt")}::text[]) AS new (user_key, nickname, joined_at)
      ORDER BY user_key
      ON CONFLICT DO NOTHING`;
    await tx`
      INSERT INTO quiz.players
      SELECT session_id, log_start, player_id, nickname, user_key, 1, joined_at::timestamptz
      FROM unnest(${column("sessionId")}::text[], ${column("logStart")}::bigint[],
        ${column("playerId")}::text[], ${column("nickname")}::text[], ${column("user")}::text[],
        ${column("joinedAt")}::text[])
        AS new (session_id, log_start, player_id, nickname, user_key, joined_at)
      ON CONFLICT DO NOTHING`;
  }
  for (const { sessionId, logStart, playerId, status } of removed)
    await tx`
      UPDATE quiz.players SET status = ${status}
      WHERE session_id = ${sessionId} AND log_start = ${logStart} AND player_id = ${playerId}`;
}

async function insertScores(tx: Tx, { scores }: HistoryRows): Promise<number> {
  if (scores.length === 0) return 0;
  const inserted = await tx`
    INSERT INTO quiz.quiz_history
    SELECT session_id, log_start, round, player_id, points, correct::bool,
      string_to_array(choices, ','), elapsed_ms, submission_id, sequence,
      accepted_at::timestamptz
    FROM unnest(${scores.sessionId}::text[], ${scores.logStart}::bigint[],
      ${scores.round}::int[], ${scores.playerId}::text[], ${scores.points}::int[],
      ${scores.correct}::int[], ${scores.choices}::text[], ${scores.elapsedMs}::int[],
      ${scores.submissionId}::text[], ${scores.sequence}::bigint[],
      ${scores.acceptedAt}::text[])
      AS new (session_id, log_start, round, player_id, points, correct, choices, elapsed_ms,
        submission_id, sequence, accepted_at)
    ON CONFLICT DO NOTHING`;
  return inserted.count;
}

/** Final standings in the one order: points, then less time, then player id by bytes. */
async function finalize(tx: Tx, ended: SessionKey & { sequence: number; storedAtMs: number }) {
  const { sessionId, logStart, sequence, storedAtMs } = ended;
  await tx`
    INSERT INTO quiz.final_standings
    SELECT ${sessionId}, ${logStart},
      row_number() OVER (ORDER BY total.points DESC, total.elapsed_ms, total.player_id COLLATE "C"),
      total.player_id, coalesce(p.nickname, total.player_id), coalesce(p.user_key, total.player_id),
      total.points, total.elapsed_ms
    FROM (
      SELECT player_id, sum(points) AS points, sum(elapsed_ms) AS elapsed_ms
      FROM quiz.quiz_history WHERE session_id = ${sessionId} AND log_start = ${logStart}
      GROUP BY player_id
    ) total
    LEFT JOIN quiz.players p ON p.session_id = ${sessionId} AND p.log_start = ${logStart}
      AND p.player_id = total.player_id
    ON CONFLICT DO NOTHING`;
  await tx`
    UPDATE quiz.sessions SET ended_at = ${new Date(storedAtMs)}, log_end = ${sequence}, finalized_at = now()
    WHERE session_id = ${sessionId} AND log_start = ${logStart}`;
}
