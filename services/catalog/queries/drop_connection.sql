DELETE FROM catalog_lists
WHERE workspace_id = $1 AND connection_id = $2
