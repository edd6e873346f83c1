-- $1 tags, $2 how many, $3 seed. Ranks all different questions of the tagged quizzes by a hash of the
-- seed and their key, and unpacks only the documents that hold the drawn ones.
WITH candidates AS (
  SELECT DISTINCT ON (keys.key) keys.key, quizzes.quiz_id, keys.number
  FROM quiz_master.quizzes, unnest(question_keys) WITH ORDINALITY AS keys (key, number)
  WHERE tags @> $1::text[]
  ORDER BY keys.key, quizzes.quiz_id, keys.number
), drawn AS (
  SELECT quiz_id, number, row_number() OVER (ORDER BY md5($3::bigint || ' ' || key)) AS place
  FROM candidates
  ORDER BY place
  LIMIT $2::integer
), by_quiz AS (
  SELECT quiz_id, array_agg(number) AS numbers FROM drawn GROUP BY quiz_id
)
SELECT unpacked.question
FROM by_quiz
JOIN quiz_master.quizzes USING (quiz_id)
CROSS JOIN LATERAL jsonb_array_elements(document -> 'questions')
  WITH ORDINALITY AS unpacked (question, number)
JOIN drawn ON drawn.quiz_id = quizzes.quiz_id AND drawn.number = unpacked.number
WHERE unpacked.number = ANY (by_quiz.numbers)
ORDER BY drawn.place
