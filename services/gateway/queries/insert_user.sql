INSERT INTO gateway_users (workspace_id, email, password_hash, created_at)
VALUES ($1, $2, $3, $4)
RETURNING id
