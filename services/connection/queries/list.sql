SELECT id, workspace_id, partner, title, status, fields, concurrency, created_at, updated_at
FROM connection_connections
WHERE workspace_id = $1 AND id > $2 AND status <> 'deleted'
ORDER BY id
LIMIT $3
