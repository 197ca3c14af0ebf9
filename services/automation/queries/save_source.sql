INSERT INTO automation_sources
    (workspace_id, id, automation_id, operation, connection_id, mode, parameters, deleted, revision)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)
ON CONFLICT (workspace_id, id) DO UPDATE
SET
    operation = EXCLUDED.operation,
    connection_id = EXCLUDED.connection_id,
    mode = EXCLUDED.mode,
    parameters = EXCLUDED.parameters,
    revision = EXCLUDED.revision
