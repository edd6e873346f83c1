-- $1 rows as a JSON array, $2 whether to leave out those whose content their author has in the bank
-- already. What was stored comes back; an id that is in use is left out.
INSERT INTO quiz_master.quizzes (
  quiz_id, author, document, title, tags, question_count, question_keys, content_hash,
  search_title, search_text, title_grams, text_grams
)
SELECT
  quiz_id, author, document, title, tags, question_count, question_keys, content_hash,
  search_title, search_text, title_grams, text_grams
FROM jsonb_to_recordset($1::jsonb) AS given (
  quiz_id text, author text, document jsonb, title text, tags text[], question_count integer,
  question_keys uuid[], content_hash text, search_title text, search_text text, title_grams integer[],
  text_grams integer[]
)
WHERE NOT ($2::boolean AND EXISTS (
  SELECT FROM quiz_master.quizzes AS present
  WHERE present.content_hash = given.content_hash AND present.author = given.author
))
ON CONFLICT (quiz_id) DO NOTHING
RETURNING quiz_id, version, author, created_at, updated_at, title, tags, question_count, content_hash
