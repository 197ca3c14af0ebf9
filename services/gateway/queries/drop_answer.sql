DELETE FROM gateway_answers
WHERE workspace_id = $1 AND slot = $2 AND begun_at = $3
