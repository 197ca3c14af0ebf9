DELETE FROM connection_secrets
WHERE workspace_id = $1 AND connection_id = $2
