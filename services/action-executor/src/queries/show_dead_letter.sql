SELECT id, workspace_id, kind, reason, error, run_id, event_id, at, original, replay_at
FROM executor_dead_letters
WHERE workspace_id = $1 AND id = $2
