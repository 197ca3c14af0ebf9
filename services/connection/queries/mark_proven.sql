UPDATE connection_connections
SET status = 'active', revision = $3, updated_at = $4
WHERE id = $1 AND revision = $2 AND status = 'needs_reauthorization'
