UPDATE automation_automations
SET status = $3, version = $4, updated_at = $5, revision = $6
WHERE workspace_id = $1 AND id = $2 AND deleted = 0
