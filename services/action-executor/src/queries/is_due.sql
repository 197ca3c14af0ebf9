SELECT EXISTS (SELECT 1 FROM executor_runs WHERE due_at <= $1)
