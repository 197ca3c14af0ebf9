UPDATE connection_connections
SET status = $3, revision = $4, updated_at = $5
WHERE workspace_id = $1 AND id = $2
