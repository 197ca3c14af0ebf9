SELECT workspace_id, id, automation_id, operation, connection_id, mode, parameters, deleted, revision
FROM automation_sources
WHERE revision > $1 AND revision <= $2
ORDER BY revision, id
