-- $1 tags, $2 how many, $3 seed, $4 how many quizzes to look at. Those are neighbours in an order by a hash
-- of their ids, from where the seed says, and around the end: a part as good as any of a bank that is too
-- large to be read for each draw, and all of a small one. Their different questions are ranked by a hash
-- of the seed and their key; only the documents that hold the drawn ones are unpacked.
WITH looked_at AS MATERIALIZED (
  (
    SELECT quiz_id, 1 AS turn, md5(quiz_id) AS place FROM quiz_master.quizzes
    WHERE tags @> $1::text[] AND md5(quiz_id) >= md5($3::text)
    ORDER BY md5(quiz_id) LIMIT $4::integer
  ) UNION ALL (
    SELECT quiz_id, 2, md5(quiz_id) FROM quiz_master.quizzes
    WHERE tags @> $1::text[] AND md5(quiz_id) < md5($3::text)
    ORDER BY md5(quiz_id) LIMIT $4::integer
  )
  ORDER BY turn, place LIMIT $4::integer
), candidates AS (
  SELECT DISTINCT ON (keys.key) keys.key, quiz_id, keys.number
  FROM looked_at JOIN quiz_master.quizzes USING (quiz_id),
    unnest(question_keys) WITH ORDINALITY AS keys (key, number)
  ORDER BY keys.key, quiz_id, keys.number
), drawn AS (
  SELECT quiz_id, number, row_number() OVER (ORDER BY md5($3::text || ' ' || key)) AS place
  FROM candidates
  ORDER BY place
  LIMIT $2::integer
), by_quiz AS (
  SELECT quiz_id, array_agg(number) AS numbers FROM drawn GROUP BY quiz_id
)
SELECT unpacked.question, (SELECT count(*)::integer FROM looked_at) AS looked_at
FROM by_quiz
JOIN quiz_master.quizzes USING (quiz_id)
CROSS JOIN LATERAL jsonb_array_elements(document -> 'questions')
  WITH ORDINALITY AS unpacked (question, number)
JOIN drawn ON drawn.quiz_id = quizzes.quiz_id AND drawn.number = unpacked.number
WHERE unpacked.number = ANY (by_quiz.numbers)
ORDER BY drawn.place
