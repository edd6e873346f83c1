-- The global leaderboard: points to the first players of each ended session, once per session.

-- Sessions that have been awarded, also those without players.
CREATE TABLE leaderboard.awarded_sessions (
  session_id   text NOT NULL,
  log_start    bigint NOT NULL,
  finalized_at timestamptz NOT NULL,
  PRIMARY KEY (session_id, log_start)
);
CREATE INDEX awarded_sessions_by_time ON leaderboard.awarded_sessions (finalized_at);

-- Who got what.
CREATE TABLE leaderboard.awards (
  session_id text NOT NULL,
  log_start  bigint NOT NULL,
  place      int NOT NULL,
  user_key   text NOT NULL COLLATE "C",
  nickname   text NOT NULL,
  points     int NOT NULL,
  awarded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (session_id, log_start, place)
);

-- Sums of the awards, moved in the same statement, so that a page is one index scan.
CREATE TABLE leaderboard.tally (
  user_key text PRIMARY KEY COLLATE "C",
  nickname text NOT NULL,
  points   bigint NOT NULL,
  sessions int NOT NULL
);
CREATE INDEX tally_by_rank ON leaderboard.tally (points DESC, user_key);
