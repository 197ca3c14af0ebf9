SELECT list, inputs
FROM catalog_lists
WHERE workspace_id = $1 AND connection_id = $2 AND connection_version = $3
ORDER BY list, inputs_digest
