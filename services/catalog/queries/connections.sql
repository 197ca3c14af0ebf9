SELECT DISTINCT workspace_id, connection_id
FROM catalog_lists
