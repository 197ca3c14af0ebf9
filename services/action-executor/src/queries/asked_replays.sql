SELECT id, workspace_id, kind, reason, error, run_id, event_id, at, original, replay_at
FROM executor_dead_letters
WHERE replay_at IS NOT NULL
ORDER BY id
LIMIT $1
