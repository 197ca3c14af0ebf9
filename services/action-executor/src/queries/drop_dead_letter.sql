DELETE FROM executor_dead_letters WHERE workspace_id = $1 AND id = $2
