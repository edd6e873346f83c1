-- What the history writer makes of the log. Owner: the quiz service. A session is (session_id,
-- log_start), as an id may be used again after its end.

-- Logs that this database has seen: a NATS store that was made anew is a new one, whose sequences begin
-- again at 1. A place (log_start, log_end) is number * 2^42 + sequence, so places rise over all logs.
CREATE TABLE quiz.logs (
  -- When the stream was made, as NATS says it.
  generation text PRIMARY KEY,
  -- Places stay below 2^53.
  number integer GENERATED ALWAYS AS IDENTITY (MINVALUE 0 START 0 MAXVALUE 2047) UNIQUE
);

-- By scorer key (proto/addresses.ts), as a nickname may begin like an outsider's.
CREATE TABLE quiz.users (
  user_key text PRIMARY KEY,
  nickname text NOT NULL,
  first_seen timestamptz NOT NULL
);

CREATE TABLE quiz.sessions (
  session_id text NOT NULL,
  -- Place of the first entry.
  log_start bigint NOT NULL,
  -- Whether it was created, and is no session that outsiders alone scored in.
  created boolean NOT NULL,
  title text NOT NULL,
  rounds integer NOT NULL,
  host text NOT NULL,
  options jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  ended_at timestamptz,
  -- Place of the last entry; what lies up to it may be purged.
  log_end bigint,
  -- When final_standings was written, in the same transaction.
  finalized_at timestamptz,
  purged_at timestamptz,
  PRIMARY KEY (session_id, log_start)
);

-- Lists of sessions, newest first: a host's own, and all.
CREATE INDEX sessions_by_host ON quiz.sessions (host, log_start DESC);
CREATE INDEX sessions_newest ON quiz.sessions (log_start DESC);

CREATE INDEX sessions_to_purge ON quiz.sessions (finalized_at)
  WHERE finalized_at IS NOT NULL AND purged_at IS NULL;

-- Few, and looked through every minute.
CREATE INDEX sessions_open ON quiz.sessions (created_at, session_id) WHERE ended_at IS NULL;

-- Sessions whose final standings have given no global points yet; nobody has to look for them among the
-- sessions of all time. The leaderboard takes them out (leaderboard/sql/award-sessions.sql).
CREATE TABLE quiz.sessions_to_award (
  session_id text NOT NULL,
  log_start bigint NOT NULL,
  finalized_at timestamptz NOT NULL,
  PRIMARY KEY (session_id, log_start)
);

CREATE INDEX sessions_to_award_in_order ON quiz.sessions_to_award (finalized_at);

CREATE TABLE quiz.players (
  session_id text NOT NULL,
  log_start bigint NOT NULL,
  player_id text NOT NULL COLLATE "C",
  nickname text NOT NULL,
  -- As names are compared: a ban is of the name, too.
  nickname_key text NOT NULL,
  user_key text NOT NULL REFERENCES quiz.users,
  -- 1 in, 2 kicked, 3 banned (quiz.v1.PlayerStatus).
  status smallint NOT NULL DEFAULT 1,
  joined_at timestamptz NOT NULL,
  PRIMARY KEY (session_id, log_start, player_id),
  FOREIGN KEY (session_id, log_start) REFERENCES quiz.sessions
);

CREATE TABLE quiz.rounds (
  session_id text NOT NULL,
  log_start bigint NOT NULL,
  round integer NOT NULL,
  answers integer NOT NULL,
  points bigint NOT NULL,
  distribution jsonb NOT NULL,
  closed_at timestamptz NOT NULL,
  PRIMARY KEY (session_id, log_start, round),
  FOREIGN KEY (session_id, log_start) REFERENCES quiz.sessions
);

-- One row a score. The primary key is the last guard against a second one, and the order of an export; a
-- second index would cost every answer what reading one player's rows seldom saves.
CREATE TABLE quiz.quiz_history (
  session_id text NOT NULL,
  log_start bigint NOT NULL,
  round integer NOT NULL,
  -- Scorer key: a player's id, or @ and an outsider's name.
  player_id text NOT NULL COLLATE "C",
  points integer NOT NULL,
  -- Null for a score that an outsider published.
  correct boolean,
  choices text[] NOT NULL,
  elapsed_ms integer NOT NULL,
  submission_id text NOT NULL,
  -- Of the entry, in its log.
  sequence bigint NOT NULL,
  accepted_at timestamptz NOT NULL,
  PRIMARY KEY (session_id, log_start, round, player_id)
);

CREATE TABLE quiz.final_standings (
  session_id text NOT NULL,
  log_start bigint NOT NULL,
  place integer NOT NULL,
  -- Scorer key, as in quiz_history.
  player_id text NOT NULL COLLATE "C",
  -- Empty where none is known.
  nickname text NOT NULL,
  -- Of the user across sessions; an outsider's is the scorer key.
  user_key text NOT NULL,
  points integer NOT NULL,
  elapsed_ms bigint NOT NULL,
  PRIMARY KEY (session_id, log_start, place),
  FOREIGN KEY (session_id, log_start) REFERENCES quiz.sessions
);

CREATE INDEX final_standings_by_player
  ON quiz.final_standings (session_id, log_start, player_id);

-- How far each partition of the log has been written; moves in the transaction that writes.
CREATE TABLE quiz.positions (
  generation text NOT NULL REFERENCES quiz.logs,
  partition integer NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (generation, partition)
);
