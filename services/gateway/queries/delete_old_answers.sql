DELETE FROM gateway_answers
WHERE begun_at <= $1
