INSERT INTO gateway_tokens (digest, workspace_id, user_id, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5)
