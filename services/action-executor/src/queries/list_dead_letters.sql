SELECT id, workspace_id, kind, reason, error, run_id, event_id, at
FROM executor_dead_letters
WHERE workspace_id = $1 AND ($2 = 0 OR id < $2)
ORDER BY id DESC
LIMIT $3
