-- $1 quiz id, $2 version that was read, $3 the new row. One row comes back where the quiz exists, with
-- the version that held; the other columns are null where that was not the version that was read. The
-- lock comes first, so that a loser of a race sees the winner's version.
WITH held AS (
  SELECT quiz_id, version FROM quiz_master.quizzes WHERE quiz_id = $1 FOR UPDATE
), changed AS (
  UPDATE quiz_master.quizzes
  SET version = held.version + 1,
      updated_at = greatest(updated_at, date_trunc('milliseconds', now())),
      document = given.document,
      title = given.title,
      tags = given.tags,
      question_count = given.question_count,
      question_keys = given.question_keys,
      content_hash = given.content_hash,
      search_title = given.search_title,
      search_text = given.search_text,
      title_grams = given.title_grams,
      text_grams = given.text_grams
  FROM held, jsonb_to_record($3::jsonb) AS given (
    document jsonb, title text, tags text[], question_count integer, question_keys uuid[],
    content_hash text, search_title text, search_text text, title_grams integer[], text_grams integer[]
  )
  WHERE quizzes.quiz_id = held.quiz_id AND held.version = $2::numeric
  RETURNING quizzes.quiz_id, quizzes.version, author, created_at, updated_at
)
SELECT held.version AS held_version, changed.version, author, created_at, updated_at
FROM held LEFT JOIN changed ON true
