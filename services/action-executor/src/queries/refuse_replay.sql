UPDATE executor_dead_letters
SET replay_at = NULL, error = $2
WHERE id = $1
