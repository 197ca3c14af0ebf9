INSERT INTO automation_automations
    (workspace_id, id, status, version, document, edits, source_id, created_at, updated_at, revision, deleted)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)
