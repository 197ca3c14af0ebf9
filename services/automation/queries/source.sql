SELECT workspace_id, id, automation_id, operation, connection_id, mode, parameters, deleted, revision
FROM automation_sources
WHERE workspace_id = $1 AND id = $2 AND deleted = 0
