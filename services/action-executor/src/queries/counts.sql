SELECT count(*), min(started_at) FROM executor_runs
