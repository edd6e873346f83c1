-- Gives points to the first players of sessions that have ended and were not awarded yet, in one
-- step: whoever inserts a session's row gives its points, so any number of pods may try at once.
-- $1: points by place. $2: sessions at most. Returns the number of awarded sessions.
WITH due AS (
  SELECT s.session_id, s.log_start, s.finalized_at
    FROM quiz.sessions s
   -- The window only spares a look at all sessions of all time; a day covers any late commit.
   WHERE s.finalized_at >= (SELECT coalesce(max(finalized_at), '-infinity') - interval '1 day'
                              FROM leaderboard.awarded_sessions)
     AND NOT EXISTS (SELECT FROM leaderboard.awarded_sessions a
                      WHERE a.session_id = s.session_id AND a.log_start = s.log_start)
   ORDER BY s.finalized_at, s.session_id, s.log_start
   LIMIT $2
), claimed AS (
  INSERT INTO leaderboard.awarded_sessions (session_id, log_start, finalized_at)
  SELECT session_id, log_start, finalized_at FROM due
  ON CONFLICT DO NOTHING
  RETURNING session_id, log_start
), given AS (
  INSERT INTO leaderboard.awards (session_id, log_start, place, user_key, nickname, points)
  SELECT f.session_id, f.log_start, f.place, coalesce(nullif(f.user_key, ''), f.player_id),
         f.nickname, ($1::int[])[f.place]
    FROM claimed c
    JOIN quiz.final_standings f USING (session_id, log_start)
   WHERE f.place <= cardinality($1::int[])
  ON CONFLICT DO NOTHING
  RETURNING session_id, log_start, user_key, nickname, points
), summed AS (
  INSERT INTO leaderboard.tally AS t (user_key, nickname, points, sessions)
  SELECT user_key, (array_agg(nickname ORDER BY log_start DESC))[1], sum(points),
         count(DISTINCT (session_id, log_start))
    FROM given
   GROUP BY user_key
   -- One order for all pods, so that none waits for another in a circle.
   ORDER BY user_key
  ON CONFLICT (user_key) DO UPDATE
     SET nickname = excluded.nickname,
         points = t.points + excluded.points,
         sessions = t.sessions + excluded.sessions
)
SELECT count(*)::int AS sessions FROM claimed
