DELETE FROM executor_runs WHERE workspace_id = $1 AND id = $2 AND owner IS NULL
RETURNING automation_id, version, event_id, started_at, epoch
