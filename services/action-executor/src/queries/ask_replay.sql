UPDATE executor_dead_letters
SET replay_at = $3
WHERE workspace_id = $1 AND id = $2 AND kind = 'event'
