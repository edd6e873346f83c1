-- The question bank: one row a quiz. `document` is the truth: title, tags and questions in the proto3
-- JSON form of quizmaster.v1.Quiz. The columns from `title` on are taken from it at every
-- write, so that no list, search or draw has to unpack documents.
CREATE TABLE quiz_master.quizzes (
  quiz_id text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL DEFAULT 1,
  author text NOT NULL,
  -- Milliseconds, so that a page token holds a time whole.
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  document jsonb NOT NULL,
  title text NOT NULL,
  tags text[] NOT NULL,
  question_count integer NOT NULL CHECK (question_count > 0),
  -- One per question, in order; the same for the same question in any quiz.
  question_keys uuid[] NOT NULL CHECK (cardinality(question_keys) = question_count),
  content_hash text NOT NULL,
  -- Title, and title and questions by line, as they are searched (domain/fold.ts), and the pieces of them by
  -- which they are found (domain/grams.ts). Compared byte by byte.
  search_title text COLLATE "C" NOT NULL,
  search_text text COLLATE "C" NOT NULL,
  title_grams integer[] NOT NULL,
  text_grams integer[] NOT NULL
);

-- Read by searches, so kept as it is beside its row as long as there is room; documents and pieces go elsewhere.
ALTER TABLE quiz_master.quizzes
  ALTER COLUMN search_title SET STORAGE MAIN,
  ALTER COLUMN search_text SET STORAGE MAIN;

CREATE INDEX quizzes_newest ON quiz_master.quizzes (updated_at DESC, quiz_id DESC);
CREATE INDEX quizzes_tags ON quiz_master.quizzes USING gin (tags);
-- What waits to go into an index is read whole by each search: a fourth of what is usual may wait.
CREATE INDEX quizzes_title_grams ON quiz_master.quizzes USING gin (title_grams)
  WITH (gin_pending_list_limit = 1024);
CREATE INDEX quizzes_text_grams ON quiz_master.quizzes USING gin (text_grams)
  WITH (gin_pending_list_limit = 1024);
-- Not unique: two authors may make the same quiz; only imports look for one that is there.
CREATE INDEX quizzes_content_hash ON quiz_master.quizzes (content_hash);
-- Any order but that of their making: a draw takes neighbours in it (sql/draw-questions.sql), and reads no row
-- to see whether it has the tags.
CREATE INDEX quizzes_shuffled ON quiz_master.quizzes (md5(quiz_id)) INCLUDE (quiz_id, tags);
