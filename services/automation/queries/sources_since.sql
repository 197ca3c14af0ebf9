SELECT workspace_id, id, automation_id, operation, parameters, deleted, revision
FROM automation_sources
WHERE revision > $1
ORDER BY revision, id
