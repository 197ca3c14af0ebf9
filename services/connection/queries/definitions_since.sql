SELECT id, workspace_id, partner, status, revision, concurrency
FROM connection_connections
WHERE revision > $1
ORDER BY revision
LIMIT $2
