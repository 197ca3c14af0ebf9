UPDATE gateway_answers
SET status = $4, answer = $5
WHERE workspace_id = $1 AND slot = $2 AND begun_at = $3
