UPDATE automation_automations
SET deleted = 1, updated_at = $3, revision = $4
WHERE workspace_id = $1 AND id = $2 AND deleted = 0
