INSERT INTO automation_sources
    (workspace_id, id, automation_id, operation, parameters, deleted, revision)
VALUES ($1, $2, $3, $4, $5, 0, $6)
ON CONFLICT (workspace_id, id) DO UPDATE
SET operation = EXCLUDED.operation, parameters = EXCLUDED.parameters, revision = EXCLUDED.revision
