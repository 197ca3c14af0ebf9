DELETE FROM executor_history WHERE workspace_id = $1 AND id = $2
