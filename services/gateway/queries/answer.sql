SELECT body_digest, begun_at, status, answer
FROM gateway_answers
WHERE workspace_id = $1 AND slot = $2
