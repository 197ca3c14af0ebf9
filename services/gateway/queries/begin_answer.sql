INSERT INTO gateway_answers (workspace_id, slot, body_digest, begun_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (workspace_id, slot) DO NOTHING
