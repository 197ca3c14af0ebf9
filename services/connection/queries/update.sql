UPDATE connection_connections
SET title = $3, status = $4, fields = $5, concurrency = $6, revision = $7, updated_at = $8
WHERE workspace_id = $1 AND id = $2
