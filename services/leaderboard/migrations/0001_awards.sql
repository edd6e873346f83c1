-- The global leaderboard: points to the first players of each ended session, once per session.

-- Who got what.
CREATE TABLE leaderboard.awards (
  session_id text NOT NULL,
  log_start  bigint NOT NULL,
  -- Of the standings that gave it: where they are made again, others take their place in one statement.
  finalized_at timestamptz NOT NULL,
  place      int NOT NULL,
  user_key   text NOT NULL COLLATE "C",
  nickname   text NOT NULL,
  points     int NOT NULL,
  awarded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (session_id, log_start, finalized_at, place)
);

-- Sums of the awards, moved in the same statement, so that a page is one index scan.
-- Who has lost all of them by a ban stays, with no sessions.
CREATE TABLE leaderboard.tally (
  user_key text PRIMARY KEY COLLATE "C",
  nickname text NOT NULL,
  points   bigint NOT NULL,
  sessions int NOT NULL
);
-- Both in one direction, so that a page deep down begins right at its first row.
CREATE INDEX tally_by_rank ON leaderboard.tally ((-points), user_key);

-- One row, moved with the tally: pages that follow one another are of one state of it.
CREATE TABLE leaderboard.tally_version (version bigint NOT NULL);
INSERT INTO leaderboard.tally_version VALUES (1);
