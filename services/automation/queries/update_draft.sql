UPDATE automation_automations
SET document = $3, source_id = $4, edits = edits + 1, updated_at = $5
WHERE workspace_id = $1 AND id = $2 AND deleted = 0
