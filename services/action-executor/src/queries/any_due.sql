SELECT min(due_at) FROM executor_runs WHERE due_at IS NOT NULL
