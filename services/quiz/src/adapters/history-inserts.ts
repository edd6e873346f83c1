/** Rows of the history on their way into PostgreSQL. What is there already stays as it is. */
import { toJson } from "@bufbuild/protobuf";
import { nicknameKey, readScorerKey } from "@fanfare/proto/addresses";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import { SessionOptionsSchema } from "@fanfare/proto/quiz/v1/session";
import type { EndedSession, HistoryRows, SessionKey } from "./history-rows.js";
import type { Tx } from "./log-places.js";

export async function insertSessions(tx: Tx, { sessions }: HistoryRows): Promise<void> {
  for (const { sessionId, logStart, created, storedAtMs } of sessions) {
    const options = created?.options ? toJson(SessionOptionsSchema, created.options) : {};
    await tx`
      INSERT INTO quiz.sessions (session_id, log_start, created, title, rounds, host, options, created_at)
      VALUES (${sessionId}, ${logStart}, ${created !== undefined}, ${created?.title ?? ""}, ${created?.rounds ?? 0},
        ${created?.host ?? ""}, ${tx.json(options as never)}, ${new Date(storedAtMs)})
      ON CONFLICT DO NOTHING`;
  }
}

export async function insertPlayers(tx: Tx, { players, removed }: HistoryRows): Promise<void> {
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
      SELECT session_id, log_start, player_id, nickname, nickname_key, user_key, 1,
        joined_at::timestamptz
      FROM unnest(${column("sessionId")}::text[], ${column("logStart")}::bigint[],
        ${column("playerId")}::text[], ${column("nickname")}::text[],
        ${column("nicknameKey")}::text[], ${column("user")}::text[], ${column("joinedAt")}::text[])
        AS new (session_id, log_start, player_id, nickname, nickname_key, user_key, joined_at)
      ON CONFLICT DO NOTHING`;
  }
  for (const { sessionId, logStart, playerId, status } of removed)
    await tx`
      UPDATE quiz.players SET status = greatest(status, ${status})
      WHERE session_id = ${sessionId} AND log_start = ${logStart} AND player_id = ${playerId}`;
}

export async function insertScores(tx: Tx, { scores }: HistoryRows): Promise<number> {
  if (scores.length === 0) return 0;
  const texts = scores.texts();
  const inserted = await tx`
    INSERT INTO quiz.quiz_history
    SELECT session_id, log_start, round, player_id, points, correct, choices::text[], elapsed_ms,
      submission_id, sequence, to_timestamp(stored_at_ms::float8 / 1000)
    FROM unnest(${texts.sessionId}::text::text[], ${texts.logStart}::text::bigint[],
      ${texts.round}::text::int[], ${texts.playerId}::text::text[], ${texts.points}::text::int[],
      ${texts.correct}::text::bool[], ${texts.choices}::text::text[],
      ${texts.elapsedMs}::text::int[], ${texts.submissionId}::text::text[],
      ${texts.sequence}::text::bigint[], ${texts.storedAtMs}::text::bigint[])
      AS new (session_id, log_start, round, player_id, points, correct, choices, elapsed_ms,
        submission_id, sequence, stored_at_ms)
    ON CONFLICT DO NOTHING`;
  return inserted.count;
}

/**
 * Stores a round's close. False where the rows differ from what the lanes held when they were closed:
 * the online audit (P12).
 */
export async function closeRound(tx: Tx, of: HistoryRows["rounds"][number]): Promise<boolean> {
  const { sessionId, logStart, round, closed, storedAtMs } = of;
  const [sum] = await tx`
    SELECT count(*)::int AS answers, coalesce(sum(points), 0)::bigint AS points
    FROM quiz.quiz_history
    WHERE session_id = ${sessionId} AND log_start = ${logStart} AND round = ${round}
      AND correct IS NOT NULL`;
  const distribution = closed.distribution.map(({ choice, count }) => ({ choice, count }));
  await tx`
    INSERT INTO quiz.rounds VALUES (${sessionId}, ${logStart}, ${round}, ${closed.answers},
      ${String(closed.points)}, ${tx.json(distribution)}, ${new Date(storedAtMs)})
    ON CONFLICT DO NOTHING`;
  return sum?.answers === closed.answers && BigInt(sum.points) === closed.points;
}

/** What came behind the end of a session is to be purged with it, or once more where that is done. */
export async function moveEnds(tx: Tx, { behind }: HistoryRows): Promise<void> {
  for (const { sessionId, logStart, logEnd } of behind)
    await tx`
      UPDATE quiz.sessions SET log_end = ${logEnd}, purged_at = NULL
      WHERE session_id = ${sessionId} AND log_start = ${logStart} AND log_end < ${logEnd}`;
}

/**
 * Final standings in the one order: points, then less time, then scorer key by bytes. Only outsiders can
 * bring points beyond what the contract holds (int32): they stand at that bound.
 */
export async function finalize(tx: Tx, ended: EndedSession): Promise<void> {
  const { sessionId, logStart, logEnd, storedAtMs } = ended;
  await tx`
    UPDATE quiz.sessions SET ended_at = ${new Date(storedAtMs)}, log_end = ${logEnd}
    WHERE session_id = ${sessionId} AND log_start = ${logStart}`;
  await stand(tx, ended);
}

/**
 * Makes the final standings, or makes them again, without those whom no board shows. The points of all
 * sessions follow.
 */
export async function stand(tx: Tx, session: SessionKey): Promise<void> {
  const { sessionId, logStart } = session;
  const unseen = await bannedScorers(tx, session);
  await tx`
    DELETE FROM quiz.final_standings WHERE session_id = ${sessionId} AND log_start = ${logStart}`;
  await tx`
    INSERT INTO quiz.final_standings
    SELECT ${sessionId}, ${logStart},
      row_number() OVER (ORDER BY total.points DESC, total.elapsed_ms, total.player_id COLLATE "C"),
      total.player_id, coalesce(p.nickname, ''), coalesce(p.user_key, total.player_id),
      greatest(least(total.points, 2147483647), -2147483647), total.elapsed_ms
    FROM (
      SELECT player_id, sum(points) AS points, sum(elapsed_ms) AS elapsed_ms
      FROM quiz.quiz_history WHERE session_id = ${sessionId} AND log_start = ${logStart}
        AND player_id <> ALL(${unseen})
      GROUP BY player_id
    ) total
    LEFT JOIN quiz.players p ON p.session_id = ${sessionId} AND p.log_start = ${logStart}
      AND p.player_id = total.player_id`;
  await tx`
    UPDATE quiz.sessions SET finalized_at = clock_timestamp()
    WHERE session_id = ${sessionId} AND log_start = ${logStart}`;
  // A session of outsiders alone gives no points beyond itself. Locks a row that is there: who awards at
  // this moment has the old standings, and has to come again.
  await tx`
    INSERT INTO quiz.sessions_to_award
    SELECT session_id, log_start, clock_timestamp() FROM quiz.sessions
    WHERE session_id = ${sessionId} AND log_start = ${logStart} AND created
    ON CONFLICT (session_id, log_start) DO UPDATE SET finalized_at = excluded.finalized_at`;
}

/** Banned players, and whoever goes or went by a banned name: players, and outsiders. */
async function bannedScorers(tx: Tx, { sessionId, logStart }: SessionKey): Promise<string[]> {
  const names = await tx`
    SELECT DISTINCT nickname_key AS name FROM quiz.players
    WHERE session_id = ${sessionId} AND log_start = ${logStart} AND status = ${PlayerStatus.BANNED}`;
  if (names.length === 0) return [];
  const banned = new Set(names.map(({ name }) => name));
  const players = await tx`
    SELECT player_id AS key FROM quiz.players
    WHERE session_id = ${sessionId} AND log_start = ${logStart}
      AND nickname_key = ANY(${[...banned]})`;
  const outsiders = await tx`
    SELECT DISTINCT player_id AS key FROM quiz.quiz_history
    WHERE session_id = ${sessionId} AND log_start = ${logStart} AND correct IS NULL`;
  return [
    ...players.map(({ key }) => key),
    ...outsiders
      .map(({ key }) => key)
      .filter((key) => banned.has(nicknameKey(readScorerKey(key).id))),
  ];
}
