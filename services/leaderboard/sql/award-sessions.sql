-- Gives points to the first players of sessions that have ended and were not awarded yet, in one
-- step: whoever takes a session out of the queue gives its points, so any number of pods may try at once.
-- A session is in the queue again where its final standings were made again, as somebody was banned: what it
-- gave before is taken back. $1: points by place. Returns the number of awarded sessions, 100 at most.
WITH due AS (
  SELECT session_id, log_start FROM quiz.sessions_to_award
   ORDER BY finalized_at
   LIMIT 100
     FOR UPDATE SKIP LOCKED
), claimed AS (
  DELETE FROM quiz.sessions_to_award q USING due
   WHERE q.session_id = due.session_id AND q.log_start = due.log_start
  RETURNING q.session_id, q.log_start, q.finalized_at
), taken AS (
  DELETE FROM leaderboard.awards a USING claimed c
   WHERE a.session_id = c.session_id AND a.log_start = c.log_start
  RETURNING a.session_id, a.log_start, a.user_key, a.nickname, a.points
), given AS (
  INSERT INTO leaderboard.awards
    (session_id, log_start, finalized_at, place, user_key, nickname, points)
  SELECT f.session_id, f.log_start, c.finalized_at, f.place, coalesce(nullif(f.user_key, ''), f.player_id),
         f.nickname, ($1::int[])[f.place]
    FROM claimed c
    JOIN quiz.final_standings f USING (session_id, log_start)
   WHERE f.place <= cardinality($1::int[])
  RETURNING session_id, log_start, user_key, nickname, points
), changes AS (
  SELECT 1 AS way, session_id, log_start, user_key, nickname, points FROM given
   UNION ALL
  SELECT -1, session_id, log_start, user_key, nickname, -points FROM taken
), summed AS (
  INSERT INTO leaderboard.tally AS t (user_key, nickname, points, sessions)
  SELECT user_key, (array_agg(nickname ORDER BY way DESC, log_start DESC))[1], sum(points),
         count(DISTINCT (session_id, log_start)) FILTER (WHERE way = 1)
         - count(DISTINCT (session_id, log_start)) FILTER (WHERE way = -1)
    FROM changes
   GROUP BY user_key
   -- One order for all pods, so that none waits for another in a circle.
   ORDER BY user_key
  ON CONFLICT (user_key) DO UPDATE
     SET nickname = excluded.nickname,
         points = t.points + excluded.points,
         sessions = t.sessions + excluded.sessions
), moved AS (
  UPDATE leaderboard.tally_version SET version = version + 1 WHERE EXISTS (SELECT FROM changes)
)
SELECT count(*)::int AS sessions FROM claimed
