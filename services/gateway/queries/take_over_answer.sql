UPDATE gateway_answers
SET body_digest = $3, begun_at = $4, status = NULL, answer = NULL
WHERE workspace_id = $1 AND slot = $2 AND begun_at = $5
