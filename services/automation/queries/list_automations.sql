SELECT workspace_id, id, status, version, document, edits, source_id, created_at, updated_at
FROM automation_automations
WHERE workspace_id = $1 AND id < $2 AND deleted = 0
ORDER BY id DESC
LIMIT $3
