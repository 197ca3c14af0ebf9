INSERT INTO connection_connections
    (workspace_id, partner, title, status, fields, concurrency, revision, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
RETURNING id
