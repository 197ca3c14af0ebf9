SELECT options, truncated, fetched_at
FROM catalog_lists
WHERE workspace_id = $1 AND connection_id = $2 AND list = $3 AND inputs_digest = $4 AND connection_version = $5
