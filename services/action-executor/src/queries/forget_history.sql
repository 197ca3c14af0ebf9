DELETE FROM executor_history WHERE workspace_id = $1 AND id = $2 AND finished_at >= $3
